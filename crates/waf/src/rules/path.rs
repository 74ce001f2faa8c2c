//! File names that climb out of their folder or name a file nobody outside should.

use std::sync::OnceLock;

use regex::bytes::Regex;

use super::{Confidence, Family, Hit, Rule, RuleInfo, Severity, Subject, analyser, certain, hint, likely};
use crate::context::FieldKind;
use crate::engine::compile;

pub(super) static RULES: &[Rule] = &[
    Rule {
        info: RuleInfo {
            id: "path-traversal",
            family: Family::Path,
            severity: Severity::High,
            cwe: 22,
            message: "a path that climbs out of the folder it is meant to stay in",
            why: "`../` in a file name or object key reaches files of the function, its layers and its runtime. Encodings, doubled encodings and overlong UTF-8 are decoded first.",
            example: "uploads/..%2f..%2fetc%2fpasswd",
        },
        patterns: &[
            analyser(&["../", "..\\"], climb_far).prose(),
            analyser(&["../", "..\\"], climb).prose(),
            likely(&["..../", "....\\", "...//", "...\\\\"], r"\.{3,4}[/\\]{2,}|(?:\.{4}[/\\]){2,}"),
            likely(&["..;/", ".././", ".\\./", "..%", "..\0"], r"\.\.;/|\.\.%(?:00|01|2f|5c|c0|c1|25)|\.\.\x00"),
            likely(&["/..", "\\.."], r"[/\\]\.\.$"),
            // Three dots climb as far as two for servers that shorten names.
            likely(&[".../", "...\\"], r"(?:\.{3}[/\\]+){2,}"),
            // Separators written as their numbers, and characters that old tables turn into separators.
            certain(&["0x2e", "..0x", "..2f", "..5c", "%c0%", "%c1%"], r"(?:0x2e){2}|\.\.0x(?:2f|5c)|(?:\.\.(?:2f|5c)){2,}|%c[01]%(?:2e|2f|5c|ae|af|9c|1c|8s|pc)").plain(),
            certain(&["..\u{f025}", "..\u{efc8}", "..\u{2215}", "..\u{2216}", "..\u{f022}"], "\\.\\.\u{f025}|\\.\\.\u{efc8}|\\.\\.\u{2215}|\\.\\.\u{2216}|\\.\\.\u{f022}"),
            // Bytes longer than need be, halves of an encoding encoded again, and letters no encoding has.
            likely(&["%f0%80", "%f8%80", "%fc%80", "%e0%80", "%c0", "%c1", "%%3", "%u2215", "%u2216", "%uf025", "%uefc8", "%bg%qf"], r"%f0%80%80%a[ef]|%f[8c]%80%80%80(?:%80)?%a[ef]|%e0%80%a[ef]|(?:%%?c[01](?:%\w\w|\.)){2}|(?:%%3\d%%[36]\d){2}|%u(?:2215|2216|f025|efc8)|%bg%qf"),
            likely(&["0x2f", "0x5c"], r"(?:etc|windows|winnt|system32|\.)0x(?:2f|5c)").plain(),
            hint(&[".."], r"^\.\.$").plain(),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "path-sensitive-file",
            family: Family::Path,
            severity: Severity::High,
            cwe: 552,
            message: "the name of a file that holds secrets or describes the machine",
            why: "Password files, process environments (which hold a function's credentials), keys and cloud configuration are what a file read is abused for.",
            example: "/proc/self/environ",
        },
        patterns: &[
            certain(&["etc/", "etc\\", "etc//"], r"(?:^|[^\w.])[/\\]+(?:\.{0,2}[/\\]+)*(?:private[/\\]+)?etc[/\\]+(?:\.{0,2}[/\\]+)*(?:passwd|shadow|gshadow|sudoers|master\.passwd|security[/\\]|ssh[/\\]|ssl[/\\]private|kubernetes[/\\]|krb5)").prose(),
            likely(&["etc/", "etc\\"], r"[/\\]etc[/\\]+(?:\.{0,2}[/\\]+)*(?:passwd|shadow|hosts|group|issue|hostname|crontab|fstab|resolv\.conf|environment|profile|os-release|motd|mysql|nginx|apache2|httpd|php|cron\.)").prose(),
            certain(&["proc/"], r"[/\\]proc[/\\]+(?:\.[/\\]+)*(?:self|thread-self|\d+|\*)[/\\]+(?:\.[/\\]+)*(?:environ|cmdline|maps|mem|fd|root|cwd|exe|status|stat|mounts|net|task|attr)|[/\\]proc[/\\](?:version|net[/\\]|mounts|kcore|cpuinfo)").prose(),
            likely(&["id_rsa", "id_ed25519", ".aws/", ".ssh/", ".aws\\", ".git/", ".kube/", ".docker/", ".npmrc", ".netrc", ".htpasswd", ".bash_history", ".env", ".pgpass", "application_default_credentials", "wp-config.php"], r"\.ssh[/\\](?:id_\w+|authorized_keys|known_hosts|config)|(?:^|[/\\])id_(?:rsa|ed25519|ecdsa|dsa)$|\.aws[/\\](?:credentials|config)|\.git[/\\](?:config|head|index|logs|objects)|\.kube[/\\]config|\.docker[/\\]config\.json|(?:^|[/\\])\.(?:npmrc|netrc|htpasswd|bash_history|pgpass|env(?:\.(?:local|prod\w*|dev\w*|backup))?)$|application_default_credentials\.json|(?:^|[/\\])wp-config\.php").prose(),
            likely(&[".env", ".npmrc", ".netrc", ".htpasswd", ".bash_history", ".pgpass"], r"^\.(?:npmrc|netrc|htpasswd|bash_history|pgpass|env(?:\.(?:local|prod\w*|dev\w*|backup))?)$").plain().prose(),
            likely(&["/var/task", "/var/runtime", "/var/log/", "/var/run/secrets", "/run/secrets", "/root/", "/dev/", "/opt/extensions"], r"^(?:file:/*)?/(?:var/(?:task|runtime|run/secrets|log/(?:auth|apache2?|nginx|httpd|syslog|messages|secure))|run/secrets|root/|opt/extensions)|/var/run/secrets/|^/dev/(?:mem|kmem|random|urandom|zero|sd\w|fd|shm|stdin)|/root/\.|/var/log/(?:apache2?|nginx|httpd)/\w+\.log|/(?:bin|var)/\.\.").prose(),
            likely(&["/.git", "/.svn", "/.hg", "/.bzr", "/.ds_store", "/.aws", "/.ssh"], r"^/(?:[\w.-]+/){0,6}\.(?:git|svn|hg|bzr|aws|ssh)/?(?:config|entries|head|index|wc\.db|logs/head|store)?$|^/(?:[\w.-]+/){0,6}\.(?:gitconfig|DS_Store)$").plain(),
            likely(&[".htaccess"], r"(?:^|[/\\])\.htaccess$").plain().prose(),
            // Nothing but the name of a server's own file: its logs, its configuration, what the kernel tells.
            likely(&["/etc/", "/proc/", "\\etc\\", "/sys/"], r"^(?:file:/*)?(?:[a-z]:)?[/\\](?:etc|proc|sys)[/\\][\w./\\+-]+\s*$").prose(),
            likely(&["access", "error"], r"^(?:[a-z]:)?[/\\][^\s:?*]{0,200}(?:access|error)[._-]?logs?(?:\.\d+|\.gz)?\s*$|^(?:[a-z]:)?[/\\][^:?*]{0,120}[/\\](?:apache|httpd|nginx|xampp)[^:?*]{0,120}(?:access|error)[._-]log\s*$").prose(),
            likely(&["httpd", "php.ini", "php4", "php5", "my.cnf", "my.ini", "apache", "nginx", "xampp", "lighttpd", "proftpd", "pureftpd", "pure-ftpd", "vsftpd", "mysql", "wwwroot", "filezilla"], r"^(?:[a-z]:)?[/\\]+(?:[^:?*]{0,80}[/\\])?(?:httpd|apache\d?|nginx|xampp|lighttpd|proftpd|pure-?ftpd?|vsftpd|mysql|php\d?|wwwroot|filezilla\w*)[/\\. ][^:?*]{0,120}(?:\.(?:conf|cnf|ini|err|log|inc|asa|pdb|passwd|bak|xml)|[/\\](?:logs?|data|sessions?|conf|bin)[/\\]?\w*)\s*$|^(?:[a-z]:)?[/\\][^\s:?*]{0,80}(?:php|my)\.(?:ini|cnf)\s*$").prose(),
            likely(&["/var/log", "/var/adm", "/var/spool", "/var/mail", "/var/db", "/var/lib/", "\\repair", "c:windows", ".bash_", "global.asa"], r"^/var/(?:log|adm|spool|mail|db|lib)/[\w./-]+\s*$|\\(?:repair|system32\\config)\\(?:sam|system|security|software)|^c:\\?(?:windows|winnt)[/\\]|global\.asax?\s*$").prose(),
            likely(&["win.ini", "system32", "boot.ini", "\\sam", "/sam", "web.config", "unattend.xml", "system.ini"], r"(?:windows|winnt)[/\\]+(?:win\.ini|system\.ini|system32[/\\]+(?:config|drivers|cmd|inetsrv)|repair|panther)|(?:^|[:/\\])boot\.ini|[/\\]web\.config$|inetpub[/\\]").prose(),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "path-null-byte",
            family: Family::Path,
            severity: Severity::Medium,
            cwe: 158,
            message: "a null byte, which ends a file name early for the system underneath",
            why: "`shell.php%00.jpg` passes a check of the ending and is opened as `shell.php`.",
            example: "invoice.php%00.pdf",
        },
        patterns: &[
            likely(&["\0"], r"[\w.)/-]\x00(?:\.\w{1,8})?$|\.\w{1,5}\x00"),
            hint(&["\0"], r"\x00"),
        ],
    },
];

/// Several steps out of a folder; the target of a document's link is a way of writing unless it names a system's file.
fn climb_far(subject: &Subject<'_>) -> Option<Hit> {
    static FAR: OnceLock<(Regex, Regex)> = OnceLock::new();
    let (far, link) = FAR.get_or_init(|| {
        (compile(r"(?:\.\.[/\\]+(?:\.[/\\]+)*){2,}"), compile(r"(?:\]\(|\]:[ \t]+|\b(?:href|src|url)=['\x22])$"))
    });
    let bytes = subject.text.as_bytes();
    let mut weak = None;
    for found in far.find_iter(bytes) {
        let before = bytes.get(found.start().saturating_sub(16)..found.start()).unwrap_or_default();
        let named = bytes.get(found.end()..).unwrap_or_default();
        let system = [&b"etc"[..], b"proc", b"windows", b"winnt", b"var/", b"root", b"home", b"boot.ini", b"."]
            .iter()
            .any(|name| named.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)));
        if system || !link.is_match(before) {
            return Some(Hit { range: found.range(), confidence: Confidence::Certain });
        }
        weak = weak.or(Some(Hit { range: found.range(), confidence: Confidence::Hint }));
    }
    weak
}

/// One step out of a folder. In the middle of a sentence or in a link of a document it is a way of writing.
fn climb(subject: &Subject<'_>) -> Option<Hit> {
    static CLIMB: OnceLock<Regex> = OnceLock::new();
    let pattern = CLIMB.get_or_init(|| compile(r"(?:^|[^.\w])\.\.[/\\]+\w|[/\\]\.\.[/\\]|(?:^|[=:'\x22\s`])\.\.[/\\]"));
    let bytes = subject.text.as_bytes();
    let document = !matches!(subject.context.kind, FieldKind::ObjectKey | FieldKind::Identifier | FieldKind::Url);
    let mut weak = None;
    for found in pattern.find_iter(bytes) {
        let before = bytes.get(..found.start()).unwrap_or_default();
        let words = |text: &[u8]| {
            let near = text.get(..text.len().min(200)).unwrap_or_default();
            near.split(u8::is_ascii_whitespace).filter(|word| word.len() > 1).count()
        };
        let sentence = found.as_bytes().first().is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b'`')
            && words(before) >= 1
            && words(before) + words(bytes.get(found.end()..).unwrap_or_default()) >= 3;
        // The character before the dots belongs to the match; a shell would have taken quotes away.
        let upto = bytes.get(..found.start() + 1).unwrap_or_default();
        let near = upto.get(upto.len().saturating_sub(200)..).unwrap_or_default();
        let tag =
            near.iter().rposition(|byte| matches!(byte, b'<' | b'>')).is_some_and(|at| near.get(at) == Some(&b'<'));
        let attribute = near.strip_suffix(b"\"").or_else(|| near.strip_suffix(b"'")).unwrap_or(near);
        let link = upto.ends_with(b"](") || (tag && (attribute.ends_with(b"href=") || attribute.ends_with(b"src=")));
        if !(document && (sentence || link)) {
            return Some(Hit { range: found.range(), confidence: Confidence::Likely });
        }
        weak = weak.or(Some(Hit { range: found.range(), confidence: Confidence::Hint }));
    }
    weak
}
