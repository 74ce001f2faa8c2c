//! Source text for an evaluator: JavaScript, Python, PHP, Java, Ruby.

use super::{Family, Rule, RuleInfo, Severity, certain, hint, likely};

pub(super) static RULES: &[Rule] = &[
    Rule {
        info: RuleInfo {
            id: "code-javascript",
            family: Family::Code,
            severity: Severity::Critical,
            cwe: 95,
            message: "JavaScript that loads modules, reads the environment or builds functions",
            why: "Where a value reaches `eval`, `Function`, `vm` or a template, this runs a program or takes the function's credentials out of its environment.",
            example: "require('child_process').execSync('id')",
        },
        patterns: &[
            certain(&["require(", "require (", "require`"], r"\brequire\s*[(`]\s*['\x22`](?:node:)?(?:(?:child_process|vm|inspector|repl)\b|(?:fs|net|https?|os|cluster|worker_threads|dns|module|process)(?:/promises)?['\x22`]\s*\)?\s*[.\[(])").prose(),
            certain(&["process.mainmodule", "process.binding", "process.env", "process['env']", "process[\"", "global.process", "process.exit", "process.kill", "child_process", "process.dlopen"], r"\bprocess\s*(?:\.\s*(?:mainModule|binding\s*\(|dlopen|_linkedBinding)|\[\s*['\x22](?:env|mainModule|binding|exit))|global\.process\b|\bchild_process['\x22`]?\s*\)?\s*[.;]").prose(),
            likely(&["process.env", "process.exit", "process.kill", "process.argv", "process.cwd"], r"\bprocess\.(?:env\b|exit\s*\(|kill\s*\(|argv\b|cwd\s*\()").plain().prose(),
            certain(&["constructor.constructor", "constructor('", "constructor(\"", "[\"constructor\"]", "['constructor']", "constructor(`", "constructor["], r"constructor\s*\.\s*constructor|\[\s*['\x22]constructor['\x22]\s*\]|\bconstructor\s*\(\s*['\x22`]|\.\s*constructor\s*\[").plain(),
            likely(&["eval(", "eval (", "function(", "function (", "settimeout(", "setinterval(", "import(", "eval`", "function`", "execsync(", "spawnsync(", "eval.call", "(0,eval)", "(0, eval)"], r"(?:^|[^\w.-])eval ?\(\s*(?:['\x22`$\w(\[]+[^)]*)\)?|\(0,\s*eval\)|\beval\.call|(?:\bnew\s+|[=(;]\s*|^)Function\s*\(\s*['\x22`]|\bset(?:Timeout|Interval)\s*\(\s*['\x22`]|\bimport\s*\(\s*['\x22`]|\b(?:exec|spawn)Sync\s*\(|(?:^|[^\w`])eval`").prose(),
            likely(&["globalthis", "this.constructor", "global[", "self[", "top[", "window[", "this[", "parent[", "frames[", "reflect.", "arguments.callee", "buffer.from(", "atob(", "function*", "=>"], r"\bglobalThis\s*[.\[]|\bthis\.constructor\b|\b(?:global|self|window|top|this|parent|frames)\s*\[\s*['\x22`]\w+['\x22`]\s*[+\]]|\bReflect\.(?:construct|apply|get|ownKeys|defineProperty)\s*\(|arguments\.callee|(?:^|eval\s*\(|Function\s*\()\s*Buffer\.from\s*\(\s*['\x22`]|\batob\s*\(\s*['\x22`]").prose(),
            likely(&["function(){", "function (){", "(()=>", "(() =>", "(function"], r"\(\s*(?:async\s*)?(?:function\s*\w*\s*\(\w*\)\s*\{|\(\w*\)\s*=>).{0,400}\}?\s*\)\s*\(\s*\)").prose(),
            likely(&["fetch(", "xmlhttprequest", "sendbeacon", "new image"], r"\bfetch\s*\(\s*['\x22`](?:https?:)?//|\bnew\s+XMLHttpRequest\b|navigator\.sendBeacon\s*\(|new\s+Image\s*\(?\)?\s*\)?\.src").prose(),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "code-python",
            family: Family::Code,
            severity: Severity::Critical,
            cwe: 95,
            message: "Python that imports modules, starts programs or climbs the object model",
            why: "Where a value reaches `eval`, `exec` or a format string, this runs a program or reads the function's environment.",
            example: "__import__('os').system('id')",
        },
        patterns: &[
            certain(&["__import__", "__builtins__", "__subclasses__", "__globals__", "__mro__", "__bases__", "__base__", "__class__", "__getattribute__", "__code__", "__loader__", "func_globals", "__reduce__"], r"__import__\s*\(|__builtins__(?:\s*[.\[]|['\x22]|$)|__subclasses__|\.__globals__|\.__mro__|\.__bases?__|\.__class__(?:\s*[\[|}]|\s*\.\s*__(?:[^n\s]|n[^a])|$)|__getattribute__\s*\(|\.__code__|__loader__|\.func_globals|__reduce__\s*\(|\[__globals__\]"),
            certain(&["os.system", "os.popen", "os.exec", "os.spawn", "subprocess.", "commands.getoutput", "pty.spawn", "os . system", "os['system", "platform.popen", "importlib."], r"\bos\s*\.\s*(?:system|popen|exec[lv]\w*|spawn\w*|posix_spawn)\s*\(|\bsubprocess\s*\.\s*(?:Popen|run|call|check_output|check_call|getoutput)\s*[\s(]|\bcommands\.getoutput\s*\(|\bpty\.spawn\s*\(|importlib\.import_module\s*\(").prose(),
            likely(&["os.environ", "os.getenv", "os.listdir", "os.remove", "exec(", "exec (", "compile(", "getattr(", "globals(", "locals(", "open(", "import os", "import subprocess", "import socket", "import pty", "lambda", "breakpoint(", "os.kill", "input("], r"^\S{0,60}\bos\.environ\b|\bos\.environ\S{0,8}(?:aws_|secret|token|passw|key)|\bos\.(?:getenv\s*\(\s*['\x22](?:aws_|\w*(?:secret|token|passw|key))|listdir\s*\(|remove\s*\(|kill\s*\()|(?:^|[^\w.])exec(?:\(\s*['\x22\w(]|\s\(\s*['\x22]).{0,300}\)|\bcompile\s*\(\s*['\x22].{0,200}['\x22]exec['\x22]|\bgetattr\s*\(\s*(?:__\w+|os|sys|subprocess|builtins|[\w.()]+\s*,\s*['\x22](?:__|system|popen|exec|eval|environ|read))|\b(?:globals|locals|vars)\s*\(\s*\)\s*(?:\[|\.)|\bopen\s*\(\s*['\x22](?:/|\.\./|file:)[^)]*\)|(?:^|[;\n'\x22=])\s*(?:from\s+(?:os|subprocess|sys)\s+)?import\s+(?:os|subprocess|socket|pty|ctypes|pickle)\s*[;,]|^import\s+(?:os|subprocess|pty)$|\blambda\b[\w\s,]*:\s*.{0,80}\(").prose(),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "code-typesetting",
            family: Family::Code,
            severity: Severity::High,
            cwe: 94,
            message: "a typesetting command that reads or writes files or starts programs",
            why: "Documents made by TeX from a value run its commands: `\\write18` starts programs, `\\input` and `\\openin` read any file. Formulas and text commands stay silent.",
            example: "\\immediate\\write18{id}",
        },
        patterns: &[
            certain(&["write18", "shellescape", "directlua", "pdffiledump", "filedump"], r"\\(?:write18|ShellEscape|directlua|(?:pdf)?filedump)\b"),
            likely(&["immediate", "openout", "openin", "newread", "newwrite", "closein", "closeout", "ifeof", "catcode"], r"\\immediate\s*\\(?:write|openout|input|closeout)|\\open(?:out|in)\s*\\?\w+\s*=|\\new(?:read|write)\s*\\\w|\\close(?:in|out)\s*\\\w|\\ifeof\s*\\\w|\\catcode\s*`"),
            likely(&["input", "include", "lstinputlisting", "includegraphics", "\\read", "\\write\\"], r"\\(?:input|include|lstinputlisting|verbatiminput|inputminted\s*\{\w+\}|includegraphics(?:\[[^\]]*\])?)\s*\{\s*(?:\||/\w|\.\.|~|[a-z]:[\\/])|\\input\s*\|\s*\S|\\read\s*\\\w+\s+to\s*\\|\\write\\\w+\s*\{"),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "code-server",
            family: Family::Code,
            severity: Severity::Critical,
            cwe: 94,
            message: "PHP, Java, Ruby or .NET that starts programs or evaluates text",
            why: "Uploads and values that an interpreter runs; a PHP tag in an uploaded file is a page of the attacker's.",
            example: "<?php system($_GET['c']); ?>",
        },
        patterns: &[
            certain(&["<?php", "<?=", "<? "], r"<\?(?:php\b|=|\s*(?:system|eval|echo|exec|passthru)\b)"),
            certain(&["$_get", "$_post", "$_request", "$_server", "$_cookie", "$_files", "$globals"], r"\$_(?:GET|POST|REQUEST|SERVER|COOKIE|FILES|ENV|SESSION)\s*\[|\$GLOBALS\s*\["),
            likely(&["exec(", "${", "eval(", "exec ("], r"(?:^|[;\s=@])exec\s*\(\s*['\x22]\s*(?:/|\w+\s)|\{\s*\$\{\s*[\w@]+\s*\(|\$\{\s*@?(?:phpinfo|system|exec|eval|print|sleep|passthru)\s*\("),
            likely(&["phpinfo(", "shell_exec(", "passthru(", "system(", "popen(", "proc_open(", "pcntl_exec(", "assert(", "base64_decode(", "create_function(", "call_user_func", "file_get_contents(", "preg_replace(", "gzinflate(", "str_rot13(", "file_put_contents("], r"\bphpinfo\s*\(|\b(?:shell_exec|passthru|popen|proc_open|pcntl_exec|call_user_func(?:_array)?|create_function|file_get_contents|file_put_contents|gzinflate|str_rot13|base64_decode)\s*\(\s*['\x22$\w]|(?:^|[^\w.])(?:system|assert)\s*\(\s*['\x22$]|\bpreg_replace\s*\(\s*['\x22].{0,60}/\w*e\w*['\x22]").prose(),
            certain(&["getruntime()", "runtime.exec", "processbuilder(", "class.forname", "new java.", "java.lang.runtime"], r"getRuntime\s*\(\s*\)\s*\.\s*exec|\bnew\s+(?:java\.lang\.)?ProcessBuilder\s*\(|\bClass\.forName\s*\(\s*['\x22]|\bnew\s+java\.(?:io|net|util)\.\w+|java\.lang\.Runtime\b").prose(),
            likely(&["os.execute", "io.popen", "deno.", "bun.spawn", "exec.command(", "runinnewcontext", "runinthiscontext", "loadstring("], r"\b(?:os\.execute|io\.popen|loadstring)\s*\(\s*['\x22\[\w]|\bDeno\.(?:run|Command|readTextFile|env)\b|\bBun\.spawn(?:Sync)?\s*\(|\bexec\.Command\s*\(\s*['\x22]|\brunIn(?:New|This)Context\s*\(").prose(),
            likely(&["system.shell(", "system.cmd(", ":os.cmd(", "code.eval_string(", "mainmodule", "root.process", "global.process", "%x"], r"\bSystem\.(?:shell|cmd)\s*\(\s*['\x22]|:os\.cmd\s*\(|\bCode\.eval_string\s*\(|\.mainModule\s*[.\[]|=\s*(?:root|global)\.process\b|%x(?:\(\s*['\x22]?\w|\[\s*\w|['\x22]\w)").prose(),
            likely(&["process.start", "io.popen", "kernel.", "%x(", "%x{", "open3.", "file.read(", "file.open(", "instance_eval", "dir.glob", "io.read"], r"\bProcess\.Start\s*\(\s*['\x22]|\bIO\.(?:popen|read|binread)\s*\(?|\bKernel\.(?:exec|system|open|spawn)|%x[({]\w|\bOpen3\.\w+|\bFile\.(?:read|open)\s*\(\s*['\x22]/|\.instance_eval\b|\bDir\.(?:glob|entries)\s*\(").prose(),
            likely(&["aws_secret_access_key", "aws_session_token", "aws_access_key_id", "aws_container_credentials"], r"(?:\$\{?|%|environ\S{0,4}|env\S{0,3}|getenv\(.?|printenv\s+|echo\s+\$)\s*AWS_(?:SECRET_ACCESS_KEY|SESSION_TOKEN|ACCESS_KEY_ID|CONTAINER_CREDENTIALS\w*)"),
            hint(&["aws_secret_access_key", "aws_session_token", "aws_container_credentials"], r"AWS_(?:SECRET_ACCESS_KEY|SESSION_TOKEN|CONTAINER_CREDENTIALS)").plain(),
        ],
    },
];
