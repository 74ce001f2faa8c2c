//! Serialised objects that run code when they are read.

use std::sync::OnceLock;

use regex::bytes::Regex;

use super::{Confidence, Family, Rule, RuleInfo, Severity, certain, hint, key, likely};
use crate::context::{Context, FieldKind};
use crate::engine::{compile, record};
use crate::verdict::{Match, excerpt};

pub(super) static RULES: &[Rule] = &[
    Rule {
        info: OBJECT,
        patterns: &[
            key(&["py/object", "py/reduce", "py/type", "py/function", "py/newargs", "json_class", "__reduce__"], Confidence::Likely),
            certain(&["ro0ab"], r"(?:^|[^\w+/])rO0ABX[NQVB]").plain(),
            likely(&["ro0ab", "aaeaaad", "ganj", "gaso", "gasv", "gajj", "gauv", "gawv", "gash", "gaajy", "gancw", "gapj", "gar"], r"(?-i:^rO0AB|AAEAAAD/{4}|^gAS[V-Z0-9a-z]\w{2}AAAAA|^gAWV\w{2}AAAAA|^gAN[jc]|^gAJ[jc])").plain(),
            // The oldest protocol is text: containers and memo entries on lines of their own, a full stop at the end.
            likely(&["(dp", "(lp", "(tp", "(ip"], r"(?:^|\n)\([dlti]p\d{1,4}\s*(?:\n|$)"),
            likely(&["\np0", "\np1"], r"\np\d+\n(?:.*\n)?[a-z0-9]{0,4}\.\s*$"),
            likely(&["tr.", "\nr."], r"(?:^|\n)c[a-z_][\w.]*\n[a-z_][\w.]*\n.{0,2000}R\.\s*$"),
            likely(&["c__builtin__", "ccopy_reg", "cposix", "cbuiltins", "csubprocess", "c_codecs"], r"^c(?:__builtin__|copy_reg|posix|builtins|subprocess|_codecs)\s*(?:\n|$)").plain(),
            certain(&["_$$nd_func$$_", "$$nd_cc$$", "_$$nd_"], r"_?\$\$ND_(?:FUNC|CC)\$\$"),
            certain(&["\n"], r"c(?:os|posix|nt|subprocess|builtins|__builtin__|sys|commands|platform|pty|timeit|runpy|importlib)\n\w[\w.]*\n"),
            certain(&["o:", "c:"], r"(?:^|[;{}\x22\s=|:])[OC]:\+?\d+:\x22[\w\\]+\x22:\+?\d+:\{"),
            likely(&["a:"], r"(?:^|[;=])a:\d+:\{(?:i:\d+|s:\d+:\x22[^\x22]*\x22);(?:[OC]:\d+:\x22|a:\d+:\{)"),
            certain(&["!!python", "!!javax", "!!java.", "!ruby/", "!php/", "tag:yaml.org,2002:", "!!js/", "!!com.", "!!org.", "!!sun."], r"!!python/(?:object|name|module|tuple)|!!(?:javax|java|com|org|sun)\.[\w.]+[\s\[\x22{]|!ruby/(?:object|hash|struct|regexp|sym|module|class|array)|!php/object|tag:yaml\.org,2002:(?:python|js|java|ruby)/|!!js/(?:function|undefined|regexp)"),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "deserialization-gadget",
            family: Family::Deserialization,
            severity: Severity::Critical,
            cwe: 502,
            message: "the name of a class used to turn deserialisation into running code",
            why: "Readers that take a type's name from the data (`@type`, `$type`, XMLDecoder, XStream, polymorphic JSON) build these classes for the attacker.",
            example: "com.sun.rowset.JdbcRowSetImpl",
        },
        patterns: &[
            certain(&["jdbcrowsetimpl", "templatesimpl", "objectdataprovider", "typeconfusedelegate", "xmldecoder", "invokertransformer", "badattributevalueexpexception", "eventhandler", "windowsidentity", "ysoserial", "imagefile$fetch", "filesystemxmlapplicationcontext", "classpathxmlapplicationcontext", "scriptenginemanager", "jndirefdatasource", "system.diagnostics.process", "losformatter", "binaryformatter", "commons.collections.", "lookup.jndi", "basicdatasource", "textformattingrunproperties", "expandedwrapper", "assemblyinstaller", "xamlreader", "drivermanagerconnectionsource", "driveradaptercpds", "dbcpconfig", "simplejndibeanfactory", "propertypathfactorybean", "2006/xaml/"], r"com\.sun\.(?:rowset\.JdbcRowSetImpl|org\.apache\.xalan)|TemplatesImpl\b|System\.Windows\.Data\.ObjectDataProvider|ObjectDataProvider\s*,|TypeConfuseDelegate|java\.beans\.(?:XMLDecoder|EventHandler)|org\.apache\.commons\.collections\d?\.functors|InvokerTransformer\b|BadAttributeValueExpException|System\.Security\.Principal\.WindowsIdentity|\bysoserial\b|(?:FileSystem|ClassPath)XmlApplicationContext|javax\.script\.ScriptEngineManager|System\.Diagnostics\.Process\b|(?:Los|Binary)Formatter\b\s*,|JndiRefDataSource|dbcp\d?\.BasicDataSource|TextFormattingRunProperties|ExpandedWrapper`|AssemblyInstaller\b|Expanded(?:Wrapper|Element)Of\w+|\bXamlReader\b|DriverManagerConnectionSource\b|DriverAdapterCPDS\b|\w+DBCPConfig\b|SimpleJndiBeanFactory\b|PropertyPathFactoryBean\b|schemas\.microsoft\.com/winfx/2006/xaml/").plain().prose(),
            likely(&["dynamic-proxy", "<sorted-set", "java.lang.processbuilder", "java.lang.runtime", "<java ", "<void ", "@type", "@class", "$type"], r"<dynamic-proxy>|<sorted-set>|<(?:object|void|java|class)\b[^>]*(?:java\.(?:lang|beans|io|net)|method\s*=)|\x22@(?:type|class)\x22\s*:\s*\x22(?:com\.sun|java|javax|org\.apache|sun)\.|['\x22]\$type['\x22]\s*:\s*['\x22]System\."),
            // Properties of a connection that make its driver run scripts or read objects.
            likely(&["jdbc:"], r"\bjdbc:\w+:[^\s'\x22]{0,400}(?:\binit\s*=|autoDeserialize|queryInterceptors|statementInterceptors|socketFactory|loggerFile|allowLoadLocalInfile|clientRerouteServerListJNDIName|startMaster|jaas)"),
            hint(&["system.", "com.sun.", "org.apache.", "javax."], r"^(?:System\.[\w.]+,\s*\w+|(?:com\.sun|org\.apache|javax)\.\w+(?:\.\w+)*\.[A-Z]\w+)$").plain(),
        ],
    },
];

const OBJECT: RuleInfo = RuleInfo {
    id: "deserialization-object",
    family: Family::Deserialization,
    severity: Severity::Critical,
    cwe: 502,
    message: "a serialised object of Python, Java, .NET, PHP, Ruby, YAML or Node where text was meant",
    why: "Reading such an object runs what is inside it. Base64 and hexadecimal wrappings are recognised by the first bytes of each format.",
    example: "gASVHwAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAJpZJSFlFKULg==",
};

/// Bytes that were wrapped in base64 and begin like a serialised object.
pub(crate) fn binary(field: &str, bytes: &[u8], context: Context, matches: &mut Vec<Match>) {
    static DANGEROUS: OnceLock<Regex> = OnceLock::new();
    let dangerous = DANGEROUS
        .get_or_init(|| compile(r"\b(?:os|posix|nt|subprocess|builtins|__builtin__|commands|pty|sys)(?:\x94?\x8c.|\n|\x8c.|\x94.)(?:system|popen|exec|eval|Popen|call|check_output|run|getattr|__import__|spawn)|Runtime|InvokerTransformer|TemplatesImpl|ObjectDataProvider|Diagnostics|ERB|Gem::|URLClassLoader"))
        .is_match(bytes);
    let pickle = matches!(bytes, [0x80, 2..=5, ..]);
    // Two bytes are not enough to call it a pickle: it must also end like one.
    if pickle && !dangerous && bytes.last() != Some(&b'.') {
        return;
    }
    if context.kind == FieldKind::Envelope && !dangerous {
        return;
    }
    let found = Match {
        rule: OBJECT.id,
        family: OBJECT.family,
        severity: OBJECT.severity,
        confidence: if dangerous { Confidence::Certain } else { Confidence::Likely },
        field: field.to_owned(),
        excerpt: excerpt(bytes, 0..bytes.len().min(40)),
        message: OBJECT.message,
        cwe: OBJECT.cwe,
    };
    record(found, matches);
}
