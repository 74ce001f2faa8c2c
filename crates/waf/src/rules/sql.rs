//! Queries: tautologies, unions, stacked statements, delays, comments behind quotes, PartiQL.
//!
//! Prose is full of `select`, `union`, `or` and dashes, so every pattern wants the grammar around the word: an operand
//! on both sides, a list, a table, a quote left open.

use std::ops::Range;
use std::sync::OnceLock;

use regex::bytes::Regex;

use super::{Confidence, Family, Hit, Rule, RuleInfo, Severity, Subject, analyser, certain, hint, likely};
use crate::context::FieldKind;
use crate::engine::compile;

pub(super) static RULES: &[Rule] = &[
    Rule {
        info: RuleInfo {
            id: "sql-tautology",
            family: Family::Sql,
            severity: Severity::High,
            cwe: 89,
            message: "a condition that is always true (or false) and would change what a query returns",
            why: "Concatenated into a WHERE clause, `' OR '1'='1` makes it match every row. Speaks where OR, AND or HAVING is followed by a comparison of constants, or by any condition behind a quote that was left open.",
            example: "x' OR '1'='1",
        },
        patterns: &[
            analyser(&["or", "and", "||", "&&", "having", "where", "when"], tautology),
            // In plain words alone only these operators make a condition.
            analyser(&[" like ", "+like+", "rlike", "regexp", " eq ", "+eq+"], tautology).plain(),
            likely(&["between", " is "], r"^\S{0,24}[\s+]+(?:or|and|xor)[\s+]+(?:not[\s+]+)?(?:-?\d+|null|true|false|[a-z]\w*_\w+|\w+\.[a-z]\w*)[\s+]+(?:(?:not[\s+]+)?between[\s+]+\d+[\s+]+and[\s+]+\d+|is[\s+]+(?:not[\s+]+)?(?:null|true|false|missing))\s*$").plain(),
            // In a number's place no quote is needed: a number, an operator, a condition on a column, the end.
            likely(&["or", "and"], r"^\s*-?\d+[\s)]+(?:or|and|xor)\s+(?:not\s+)?(?:(?:[a-z]\w*_\w+|[a-z]\w*\.\w+)\s*(?:[<>]=?|!=|=)|[a-z]\w+\s*(?:<>|!=))\s*(?:-?\d+|'[^']*'?|\w+)?\s*(?:--.*|#)?$"),
            // A filter that deletes the word once leaves the word.
            certain(&["oorr", "anandd", "aandnd", "unionion", "unionon", "unionnion", "unionn", "selectect", "selectlect", "selectelect", "selectct", "selectt"], r"(?:^|[\s'\x22)\d+/])(?:oorr|anandd|aandnd)[\s(+/]*(?:['\x22\d]|\w+\s*(?:[=<>]|like\b|is\b|in\b))|\b(?:uunionnion|ununionion|uniunionon|uniounionn)\b|\b(?:sselectelect|seselectlect|selselectect|seleselectct|selecselectt)\b"),
            analyser(&["or", "and", "||", "&&"], predicate),
            likely(&["@:=", "@ :=", ":=("], r"['\x22\d\s(]@\w*\s*:=\s*(?:$|\(?\s*select|0x|\d|concat|\()"),
            likely(&["or ", "and ", "||"], r"^\s*(?:or|and|xor)\s+(?:not\s+)?[\w'\x22]{1,12}(?:=|<>|!=|<|>)[\w'\x22]{1,12}\s*(?:--.*|#.*|/\*.*)?$"),
            likely(&["or", "||", "and"], r"(?:(?:^|[\d'\x22)%\s])\s*(?:\b(?:or|and)\b|\|\|)\s*(?:not\s+)?(?:true|false|null|\d+)|['\x22\d]\s*\)*\s*(?:or|and|\|\|)\s*'[^']*')\s*(?:--|#\s*$|/\*|;\s*--)"),
            likely(&["or", "and"], r"\b(?:or|and)\s+(?:not\s+)?(?:exists\s*\(|\(\s*select\s+(?:[\w*@(]|')|select\s+(?:[*@(]|\w+\s*(?:,|\(|from\b))|(?:\w+\s*\()?(?:ascii|substr|substring|mid|ord|length|len|user|database|version)\s*\(\s*(?:\(?\s*select|\w+\s*[,()]|@@))"),
            likely(&["or true", "or+true", "or/**/true", "or 1 "], r"(?:['\x22)\d]|^)\s*or\s+(?:true|1)\s*(?:--|#|;|$|limit\b|order\b|group\b|union\b)").plain(),
            likely(&["'='", "'|", "' |", "'&", "' &", "'^", "' ^", "'*", "' *", "'=0", "''='", "'like'", "'|'", "'^'", "'-'", "'=''", "'*'", "'&'", "'+'", "'%'"], r"^\w{0,24}'\s*(?:[=|^*]|like|[-+^]\s*0|=\s*0)\s*(?:'[^']{0,16}'?|\d+)?\s*(?:--|#|\+)?[\s+]*$|^\w{0,24}'\s*(?:[=|^*&%+-]|like)\s*''?\s*(?:(?:or|and)\b.*)?$|^\w{0,24}'\s*[|&^*/%+-]+\s*\d+\s*[|&^*/%+-]+\s*'"),
            likely(&["having", "group by"], r"['\x22)]\s*(?:having\s+\d|group\s+by\s+[\w.,\s]+\s*(?:having|--|#))|\bhaving\s+\d+\s*=\s*\d+"),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "sql-union",
            family: Family::Sql,
            severity: Severity::High,
            cwe: 89,
            message: "a UNION that would add rows of other tables to a query's answer",
            why: "UNION SELECT reads any table the database user may read. Speaks in every spelling of white space, comments and case, where a list, a function, a table or a comment follows.",
            example: "1 UNION/**/SELECT null,password FROM users--",
        },
        patterns: &[
            certain(&["union"], r"\bunion\b[\s(+]*(?:(?:all|distinct|distinctrow)\b[\s(+]*)?select\b[\s(+]*(?:(?:all|distinct|top\s+\d+)\s+)?(?:null\b|-?\d|@|\*|'|\x22|0x|~|!|\w+\s*\(|[\w.`]+(?:\s*,\s*[\w.`]+)*\s*,\s*(?:[^\w\s]|\d+\s*(?:,|from\b|--|#|;|$)|null\b|[\w.`]+\s*(?:from\s+\w|--|#|/\*|;))|(?:current_user|session_user|user|username|login|email)\s*,|[\w.`]+\s+(?:as\s+\w+\s*,|from\s+\w)|[\w.`]+\s*(?:--|#|/\*|;))").plain(),
            likely(&["union"], r"\bunion\s+all\s+select\b|\d[\s+]*union[\s(+]+(?:(?:all|distinct(?:row)?)[\s+]+)?select\b|\bunion\b[\s(]*(?:values\s*\(|table\s+\w+\s*(?:--|#|;|$))|\d\s*union\b[\s(]*(?:all\s+|distinct\s+)?select\b|['\x22]\s*\)+\s*union\b[\s(]*select\b|['\x22]\s*union\b[\s(]*select\b[\s(]*[\w.`]+\s*(?:,|--|#|;|$)").plain(),
            likely(&["intersect", "except", "minus"], r"^\s*(?:-?\d+|[^'\x22]{0,24}['\x22])[\s)]*(?:intersect|except|minus)\s*(?:all\s+)?[\s(]*select\b").plain(),
            hint(&["union"], r"\bunion\s+(?:distinct\s+)?select\b").plain(),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "sql-stacked",
            family: Family::Sql,
            severity: Severity::Critical,
            cwe: 89,
            message: "a second SQL statement behind the first",
            why: "Where the driver runs several statements at once, what follows a semicolon does anything: drop a table, add an administrator, start a program. Speaks when a semicolon is followed by a whole statement's beginning, not by an English verb.",
            example: "5; DROP TABLE orders--",
        },
        patterns: &[
            certain(&[";"], r";[\s)]*(?:drop\s+\w+\s*--|drop\s+(?:table|database|schema|view|user|index|procedure|function|role)\s+(?:if\s+exists\s+)?[\w.`\x22\[]+\s*(?:;|--|#|$|cascade|/\*)|truncate\s+table\s+\w|insert\s+into\s+[\w.`\x22\[\]]+\s*(?:\(|values|select|value)|update\s+[\w.`\x22\[\]]+\s+set\s+[\w.`\x22]+\s*=|delete\s+from\s+[\w.`\x22]+\s*(?:where|;|--|#|$)|alter\s+(?:table|user|login|role|database)\s+\w+\s+\w|create\s+(?:table|user|database|or\s+replace|login|role|function|trigger|procedure)\s+\w+|exec(?:ute)?[\s(]+(?:immediate|master|xp_|sp_|\(|'|@)|declare\s+@|waitfor\s+delay|shutdown\s*(?:;|--|with)|grant\s+(?:all|select|insert|update|delete|execute|usage|create|connect|dba|\w*_\w+|\w+\s+on)\b.{0,60}\bto\b|copy\s+\w+.{0,40}\b(?:from|to)\s+(?:program|')|attach\s+database|load\s+data\s+(?:local\s+)?infile|merge\s+into\s+\w|call\s+(?:\w+\.\w+\s*\(|\w+\()|backup\s+database|rename\s+table)"),
            certain(&[";"], r";[\s)]*(?:select\b[\s(]*(?:\*|@@|null\b|'|pg_|sleep|version\s*\(|current_|user\s*\(|database\s*\(|case\s+when|benchmark|load_|\w+\s*\([^)]*\)\s*(?:--|;|$|#|from)|\d+\s*(?:--|;|$|#|,|from)|[\w.,`\s]{1,80}\bfrom\s+[\w.`\x22]+\s*(?:where\b|--|;|$|#|limit\b))|set\s+@\w+\s*=|begin\s+(?:declare|dbms_|execute))"),
            // A number, a statement, and a comment for what the application would have added.
            likely(&["--", "#"], r"^\s*-?\d+['\x22]?[\s)]*;[^;]*;?\s*(?:--|#)\s*$"),
            likely(&["drop table", "drop database", "drop/**/table", "delete from", "insert into", "truncate table", "update "], r"['\x22][\s);]*(?:drop\s+(?:table|database)|delete\s+from|insert\s+into|truncate\s+table|update\s+\w+\s+set)\s+\w|\b(?:drop\s+(?:table|database)|delete\s+from|truncate\s+table)\s+(?:if\s+exists\s+)?[\w.`\x22]+\s*(?:;|--|#|where\s+\d)|\binsert\s+into\s+[\w.`\x22]+\s*(?:\([\w\s,.`\x22]*\)\s*)?(?:values?\s*[({]|select\b)|^\s*delete\s+from\s+[\w.`\x22\[\]]+\s+where\s+[\w.`\x22\[\]]+\s*(?:[=<>!]|(?:is|in|like|between)\b)|\bupdate\s+[\w.`\x22]+\s+set\s+[\w.`\x22]+\s*=.*(?:where\b|--)"),
            hint(&["drop table", "drop database"], r"^\s*drop\s+(?:table|database)\s+(?:if\s+exists\s+)?[\w.]+\s*$").plain(),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "sql-delay",
            family: Family::Sql,
            severity: Severity::High,
            cwe: 89,
            message: "a call that makes a database wait, by which answers are read bit by bit",
            why: "Blind injection asks questions by time. Speaks on the waiting functions of each dialect with their arguments.",
            example: "1' AND SLEEP(5)-- -",
        },
        patterns: &[
            certain(&["waitfor", "pg_sleep", "dbms_pipe", "dbms_lock", "dbms_session", "benchmark", "randomblob"], r"\bwaitfor\s+(?:delay|time)\s*['\x22(@\d]|\bpg_sleep(?:_for|_until)?\s*\(|\bdbms_(?:pipe\s*\.\s*receive_message|(?:lock|session)\s*\.\s*sleep)|\bbenchmark\s*\(\s*\d+\s*,|\brandomblob\s*\(\s*\d{5,}"),
            likely(&["sleep"], r"(?:^|['\x22=,;(|+*/&-]|\b(?:and|or|select|if|xor|rlike|then|union|when|by)\b)[\s(]*(?:\w+\s*=\s*)?(?:sleep\(\s*[\d(]|sleep\s*\(\s*\d+(?:\.\d+)?\s*\))"),
            likely(&["sleep"], r"(?:^|['\x22)\d\s])\s*(?:or|and|xor|\|\|)\s+(?:\w+\s*=\s*)?sleep\s*\("),
            likely(&["sleep"], r"\b(?:if|case)\b.{0,120}\bsleep\s*\("),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "sql-comment",
            family: Family::Sql,
            severity: Severity::High,
            cwe: 89,
            message: "a quote that closes a value and a comment that cuts off the rest of the query",
            why: "`admin'--` logs in as admin without a password: the quote ends the value, the dashes hide the password check. Speaks for a single quote left open right before a comment at the end, which no signature or dash in prose is.",
            example: "admin'--",
        },
        patterns: &[
            analyser(&["--", "#", "/*", ";%00", ";\0"], cut_off),
            // What closes a value with either quote and asks for nothing but the other side's.
            likely(&["'", "\""], r"^[^'\x22\s]{0,24}['\x22][\s)]*(?:or|and|xor|\|\||&&)[\s(]*['\x22]|^'\s*[-&^*|+=/%]+\s*'$|^\x22\s*[&^*|]+\s*\x22$|^['\x22]\s*=\s*['\x22]|^[^'\x22\s]{0,24}['\x22]\s*\|\|\s*['\x22(]|^\w{0,24}'\s*[=<>]+\s*'?or\b"),
            likely(&["grant ", "create ", "alter ", "exec", "backup ", "shutdown", "declare "], r"^[^'\x22\s]{0,24}['\x22][\s);]*(?:grant\s+\w+\s+to|create\s+(?:user|table|login|role)\s+\w|alter\s+(?:user|table|login)\s+\w|exec(?:ute)?\s+\w|shutdown\b)|\bbackup\s+database\s+\w+\s+to\s+dis[kc]s?|\bdeclare\s+@\w+\s+(?:as\s+)?(?:n?varchar|int|table|cursor)"),
            likely(&["identified by", "sp_addlogin", "exec(@", "exec (@", "exec sp_", "exec xp_", "user_name()", "isnull(", "select top"], r"\bcreate\s+user\s+\w+\s+identified\s+by\b|\bsp_addlogin\b|\bexec\s*\(\s*@\w|\bexec\s+[sx]p_\w*|\b(?:and|or)\s+user_name\s*\(\)\s*=|\bor\s+isnull\s*\(\s*\d|['\x22][\s(]*select\s+top\s+\d"),
            likely(&["union"], r"['\x22][\s)]*union\s+(?:all\s+|distinct\s+)?select\s*$"),
            likely(&["grant "], r"\bgrant\s+[\w\s,]{2,60}\bon\s+(?:\*\.\*|[\w.`]+)\s+to\s+['\x22`]\w"),
            likely(&["load csv", "call apoc.", "call dbms.", "call db.", "detach delete", "apoc.", "match ("], r"\bload\s+csv\s+(?:with\s+headers\s+)?from\s*['\x22]|\bcall\s+(?:apoc|dbms|db)\.\w+(?:\.\w+)*\s*\(|['\x22})]\s*(?:match\s*\(.{0,200}\)\s*)?detach\s+delete\s+\w|['\x22][\s)}]*(?:return\s+\S+\s+)?(?:union\s+|with\s+[^\n]{0,60}\s)?match\s*\(\s*\w*\s*[:)]|\bapoc\.(?:load|cypher|export|systemdb)\.\w+\s*\("),
            likely(&["'/*", "' /*", "'/**/", "')/*"], r"^[^'\s]*'\)*\s*/\*"),
            likely(&["/*!"], r"/\*!\d{5,6}\s*\w|/\*!\d{0,6}\s*(?:all|and|or|xor|union|select|from|where|order|limit|into|sleep|benchmark|concat|drop|insert|update|delete|having|group|user|database|version|load_file|if|null|\d)\b"),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "sql-subquery",
            family: Family::Sql,
            severity: Severity::High,
            cwe: 89,
            message: "a query inside a value",
            why: "A SELECT in parentheses or behind a quote reads what the application never meant to show. Speaks where the words form a query: a list and a table, a function, a constant.",
            example: "'||(SELECT password FROM users LIMIT 1)||'",
        },
        patterns: &[
            likely(&["select"], r"\(\s*select\b[\s(]*(?:\*|-?\d+\s*(?:\)|,|from)|null\b|@@|'|0x|(?:distinct\s+)?(?:count|char|chr|concat|group_concat|concat_ws|string_agg|cast|convert|sleep|pg_\w+|version|user|database|current_\w+|load_file|substr\w*|ascii|extractvalue|updatexml|rand|floor|case|if|iif|json_\w+|top\s+\d+)\b\s*[\s(]|[\w.`\x22]+\s+from\s+[\w.`\x22]+\s*(?:\)|where\b|limit\b|order\b|--))"),
            likely(&["select"], r"(?:'|\x22)[\s)]*(?:\|\||\+|,|=|;|and|or|in)\s*\(*\s*select\b[\s(+]*(?:[*@'\x22\d]|null\b|case\b|distinct\b|top\b|\w+\s*[(,]|[\w.`\x22]+\s+(?:from|as|into|where)\b|[\w.]+\s*(?:--|#|$|\)))"),
            analyser(&["select"], statement).prose(),
            likely(&["select"], r"^\s*select\s+(?:\*\s+from\s+[\w.\x22`\[\]]+(?:\s*;.*)?|@@\w+.*|\*\s+from\s+[\w.]+\s+union\b.*|(?:current_\w+|session_user|user)\s*;?|(?:version|database|user|current_\w+|pg_\w+|inet_server_\w+|system_user|schema|@@\w+)\s*\([^)]{0,80}\)\s*;?)\s*$").plain(),
            likely(&["select"], r"\bselect\b.{1,200}\bfrom\s+[`\x22\[]?(?:information_schema|pg_catalog|pg_shadow|pg_user|mysql|sys|sysobjects|syscolumns|sqlite_master|sqlite_schema|all_tables|user_tables|dual|msysaccessobjects|dba_users|v\$version)\b").prose(),
            likely(&["case"], r"\bcase\s+when\b.{1,120}\bthen\b.{1,120}\belse\b.{0,120}\bend\b\s*[)'\x22]|(?:'|\(|\band\b|\bor\b|,)\s*case\s+when\s*\("),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "sql-function",
            family: Family::Sql,
            severity: Severity::High,
            cwe: 89,
            message: "names only an attacker asks a database for: its catalogue, its files, its programs",
            why: "Catalogue tables, file functions, error-based extraction and program starters have no place in a value.",
            example: "1 and extractvalue(1,concat(0x7e,version()))",
        },
        patterns: &[
            certain(&["xp_cmdshell", "load_file", "extractvalue", "updatexml", "utl_http", "utl_inaddr", "ctxsys", "pg_read_file", "pg_ls_dir", "lo_import", "xp_dirtree", "sp_oacreate", "openrowset", "into outfile", "into dumpfile", "procedure analyse", "sp_executesql", "load_extension", "dbms_xmlgen", "xp_regread", "sys_eval", "sys_exec", "lo_export", "copy ", "utl_smtp", "utl_file", "xp_fileexist", "lo_from_bytea", "lo_put", "database_to_xml", "query_to_xml", "fn_my_permissions", "openquery", "is_srvrolemember", "fn_varbintohexstr", "dbms_java", "dbms_scheduler", "dbms_ldap", "dbms_xslprocessor", "dbms_cloud", "dbms_metadata", "httpuritype", "sp_configure", "sp_addsrvrolemember", "sp_makewebtask", "sp_addextendedproc", "sp_oamethod", "xp_regwrite", "xp_servicecontrol", "load data", "master..", "link_schema(", "csvread(", "file_read(", "writefile(", "readfile(", "runscript", "create alias"], r"\bxp_(?:cmdshell|dirtree|regread|fileexist)\b|\bload_file\s*\(|\b(?:extractvalue|updatexml)\s*\(\s*[\w'\x22(]+\s*[,(]|\butl_(?:http|inaddr|smtp|file)\s*\.|\bctxsys\s*\.|\bpg_(?:read_file|ls_dir|read_binary_file)\s*\(|\blo_(?:import|export)\s*\(|\bsp_(?:oacreate|executesql)\b|\bopenrowset\s*\(|\binto\s+(?:out|dump)file\s*['\x22]|\bprocedure\s+analyse\s*\(|\bload_extension\s*\(|\bdbms_xmlgen\s*\.|\bsys_(?:eval|exec)\s*\(|\bxp_(?:regwrite|servicecontrol)\b|\blo_(?:from_bytea|put)\s*\(|\b(?:database|query)_to_xml(?:schema)?\s*\(|\bfn_(?:my_permissions|varbintohexstr)\s*\(|\bopenquery\s*\(|\bis_srvrolemember\s*\(|\bdbms_(?:java|scheduler|ldap|xslprocessor|cloud|metadata)\s*\.\s*\w+\s*\(|\bhttpuritype\s*\(|\bsp_(?:configure\s*['\x22]|addsrvrolemember|makewebtask|addextendedproc|oamethod)|\bload\s+data\s+(?:local\s+)?infile\s*['\x22]|\bfrom\s+master\.\.|\b(?:link_schema|csvread|file_read|writefile|readfile)\s*\(\s*['\x22]|\brunscript\s+from\s*['\x22]|\bcreate\s+alias\s+\w+\s+as\s*['\x22$]|\bcopy\s+\w+.{0,40}\bprogram\s*'"),
            likely(&["information_schema", "sqlite_master", "sysobjects", "pg_catalog", "@@version", "@@datadir", "@@hostname", "@@servername", "@@basedir", "mysql.user", "pg_shadow", "syscolumns", "all_tables", "sys.databases", "sys.tables"], r"\binformation_schema\s*[.`\x22]+\s*\w|\bfrom\s+(?:sqlite_master|sysobjects|syscolumns|pg_catalog\.|pg_shadow|mysql\.user|all_tables|sys\.(?:databases|tables))|@@(?:version|datadir|hostname|servername|basedir)\b").prose(),
            likely(&["group_concat", "concat(", "concat_ws", "char(", "chr(", "unhex(", "hex(", "substring(", "substr(", "ascii(", "mid(", "json_keys(", "gtid_subset(", "exp(~", "floor(rand", "row(1", "elt(", "make_set("], r"\bgroup_concat\s*\(|\bconcat(?:_ws)?\s*\(\s*(?:0x|char\(|'\w{0,8}'\s*,\s*\(|\(?select|@@|user\()|\b(?:char|chr)\s*\(\s*\d{2,3}\s*(?:,\s*\d{2,3}\s*)*\)\s*(?:\+|\|\||,|--|$|\))|\bunhex\s*\(|\b(?:ascii|ord|hex|length)\s*\(\s*(?:substr|substring|mid|\(?\s*select|user|database|version)|\b(?:substr|substring|mid)\s*\(\s*(?:\(?\s*select|user\s*\(|database\s*\(|version\s*\(|@@|password\b)|\bexp\s*\(\s*~|\bfloor\s*\(\s*rand\s*\(|\bgtid_subset\s*\(|\b(?:elt|make_set)\s*\(\s*\d+\s*=\s*\d+"),
            likely(&["order by"], r"^\s*(?:-?\d+|null|[^'\x22\s]{0,24}['\x22])?[\s)]*\border\s+by\s+\d{1,3}\s*(?:--|#|/\*|;).*$|^\s+order\s+by\s+\d{1,3}\s*$").plain(),
            hint(&["order by"], r"^\s*order\s+by\s+\d{1,3}\s*$").plain(),
            likely(&["order by", "order/**/by", "order  by", "limit "], r"(?:^|['\x22)\d])\s*order\s+by\s+\d+\s*(?:--|#|/\*|,|;)|['\x22][\s)]*order\s+by\s+\d+|['\x22)\d]\s*limit\s+\d+\s*(?:,\s*\d+\s*)?(?:--|#|;)"),
            likely(&["convert(", "cast(", "cast (", "db_name", "current_user", "system_user", "iif("], r"\bconvert\s*\(\s*int\s*,|\bcast\s*\(\s*\(?\s*(?:select|chr|version|current)|\b(?:db_name|suser_name|user_name|object_id)\s*\(\s*\d*\s*\)|\b(?:and|or)\s+iif\s*\("),
            likely(&["rlike", "regexp", "sounds like", "like", "between", " in (", " in("], r"'[\s)]*\b(?:r?like|regexp|not\s+like)\b\s*(?:\(|'|\x22|binary\b|sleep|0x)|'[\s)]*(?:not\s+)?(?:between\b.{1,20}\band\b|in\s*\(\s*(?:select|\d|'))"),
        ],
    },
];

fn condition() -> &'static Regex {
    static CONDITION: OnceLock<Regex> = OnceLock::new();
    CONDITION.get_or_init(|| {
        compile(
            r"(?:\b(?:or|and|xor|having|where|when)\b|\|\||&&)(?:[\s(!~+]|not\b|binary\b)*(?P<left>'[^']*'|\x22[^\x22]*\x22|-?\d+(?:\.\d+)?|0x[0-9a-f]+|\[\w+\]|[\w.`]+(?:\([^()]{0,80}\))?(?:::\w+)?)[\s+]*\)*[\s+]*(?P<op><=>|=+|<>|!=|>=?|<=?|\b(?:not\s+)?(?:i?like|rlike|regexp|in|eq|ne)\b|\bis\s+(?:not\s+)?(?:null|missing|true|false|unknown)\b|\b(?:not\s+)?between\s+[^\s]{1,40}\s+and\b)[\s(+]*(?P<right>'[^']*'?|\x22[^\x22]*\x22?|-?\d+(?:\.\d+)?|0x[0-9a-f]+|[\w.`]+)?",
        )
    })
}

/// Conditions after OR, AND and their kin that an honest text does not hold.
fn tautology(subject: &Subject<'_>) -> Option<Hit> {
    let bytes = subject.text.as_bytes();
    // `or` and `and` are inside half of all words; a condition has more than them.
    let mark = |byte: &u8| matches!(byte, b'=' | b'<' | b'>' | b'\'' | b'"');
    if !bytes.iter().any(mark) && !has_word_operator(bytes) {
        return None;
    }
    let in_prose = subject.context.kind == FieldKind::FreeText;
    let mut weak: Option<Hit> = None;
    let mut quotes = OpenQuotes::new(bytes);
    for found in condition().captures_iter(bytes) {
        let (whole, left, op) = (found.get(0)?, found.name("left")?.as_bytes(), found.name("op")?.as_bytes());
        let is = op.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(b"is"));
        let right = found.name("right").map_or(&b""[..], |right| right.as_bytes());
        let open = quotes.closes_before(whole.start());
        let rest = bytes.get(whole.end()..).unwrap_or_default();
        let after_comment = commented(rest);
        let prose = !open && (in_prose || goes_on_in_words(bytes.get(..whole.start()).unwrap_or_default(), rest));
        let hit = |confidence: Confidence| {
            Some(Hit { range: whole.range(), confidence: if prose { Confidence::Hint } else { confidence } })
        };
        let (l, r) = (Operand::of(left), Operand::of(right));
        let comparison = !op.first().is_some_and(u8::is_ascii_alphabetic);
        let equals = matches!(op, b"=" | b"==" | b"<=>");
        let same = unquoted(left).eq_ignore_ascii_case(unquoted(right));
        let found = match (l, r) {
            (Operand::Number, Operand::Number) if equals && same => hit(Confidence::Certain),
            (Operand::Number, Operand::Number) if equals || op == b"<>" || op == b"!=" => hit(Confidence::Likely),
            (Operand::Number, Operand::Number) if same || (comparison && (open || after_comment)) => {
                hit(Confidence::Likely)
            }
            (Operand::Number, Operand::Number) => hit(Confidence::Hint),
            (Operand::Quoted, Operand::Quoted) if same && equals => hit(Confidence::Certain),
            (Operand::Quoted, Operand::Quoted | Operand::Number) | (Operand::Number, Operand::Quoted)
                if open || same =>
            {
                hit(Confidence::Likely)
            }
            (Operand::Quoted | Operand::Number, Operand::Nothing) if open && (comparison || is) => {
                hit(Confidence::Likely)
            }
            (Operand::Quoted, Operand::Word) if open && is => hit(Confidence::Likely),
            (Operand::Word, Operand::Word) if equals && same => hit(Confidence::Likely),
            (_, Operand::Quoted | Operand::Number) if open => hit(Confidence::Likely),
            (Operand::Word, Operand::Word | Operand::Nothing) if open && (comparison || is) => hit(Confidence::Likely),
            (Operand::Word, _) if after_comment && comparison => hit(Confidence::Likely),
            _ => None,
        };
        match found {
            Some(hit) if hit.confidence >= Confidence::Likely => return Some(hit),
            Some(hit) => weak = weak.or(Some(hit)),
            None => {}
        }
    }
    weak.or_else(|| dangling(bytes))
}

/// Whether an operator written as a word occurs.
fn has_word_operator(bytes: &[u8]) -> bool {
    static OPERATOR: OnceLock<Regex> = OnceLock::new();
    OPERATOR.get_or_init(|| compile(r"[\s+](?:i?like|rlike|regexp|eq)[\s+]")).is_match(bytes)
}

const SENTENCE: usize = 200;

/// Whether what stands around a condition is a sentence: `or 1 = 1 box is fine` is one, `or 1=1 limit 1` is a query.
///
/// A query goes on with an operator, a clause, a bracket, a quote or a comment; nothing else would be read.
fn goes_on_in_words(before: &[u8], rest: &[u8]) -> bool {
    static WORDS: OnceLock<(Regex, Regex)> = OnceLock::new();
    let (clause, words) = WORDS.get_or_init(|| {
        (
            compile(r"^\s*(?:or|and|xor|not|limit|order\s+by|group\s+by|union|having|procedure|into|offset|fetch|returning|r?like|in|is|between|collate|as|then|else|end|div|mod|intersect|except|minus|for\s+(?:update|share)|regexp|where|when|window|i?like|glob|match|isnull|notnull|similar\s+to|escape|member\s+of|option\s*\(|with\s*(?:\(|rollup|ur|nolock)|lock\s+in|allow\s+filtering|qualify|start\s+with|connect\s+by)\b"),
            compile(r"^\s*[,.:;!?]?\s+[a-z\x80-\xff][a-z\x80-\xff'-]*(?:[\s,.!?]|$)|^[.!?]+\s*$"),
        )
    });
    let punctuated = matches!(rest.trim_ascii_start().first(), Some(b',' | b'.' | b':' | b'!' | b'?'));
    if rest.first().is_some_and(|byte| *byte > 127) {
        // A number followed by a character of another script is no operand.
        return true;
    }
    if !words.is_match(rest) || (!punctuated && clause.is_match(rest)) {
        return false;
    }
    let count = |text: &[u8]| {
        text.split(u8::is_ascii_whitespace)
            .filter(|word| word.len() > 1 && word.iter().take(2).all(|byte| byte.is_ascii_alphabetic() || *byte > 127))
            .take(3)
            .count()
    };
    // As much as a sentence, so that a text of many conditions is not read once for each.
    let near = before.get(before.len().saturating_sub(SENTENCE)..).unwrap_or_default();
    count(near) + count(rest.get(..rest.len().min(SENTENCE)).unwrap_or_default()) >= 2
}

/// A whole SELECT. In a sentence, or as all there is without a comment or a second statement, it is what people ask and teach.
fn statement(subject: &Subject<'_>) -> Option<Hit> {
    static STATEMENT: OnceLock<Regex> = OnceLock::new();
    let pattern = STATEMENT.get_or_init(|| {
        compile(r"\bselect\b[\s(]+(?:distinct\s+)?(?:\*|[\w.`\x22\[\]]+(?:\s*,\s*[\w.`\x22\[\]*]+)*|\w+\([\w*,.\s]*\))\s+from\s+(?:[\x22`\[][\w.-]+[\x22`\]](?:\s|$|\.)|[\w.]+\s*(?:where\s+[\w.`\x22]+\s*(?:=|like\s*'|in\s*\(|<|>|is\s)|;|--|limit\s+\d|order\s+by\s+\w+\s*(?:--|;|,|desc|asc|$)|join\s+\w+\s+on\b|group\s+by\b))")
    });
    let bytes = subject.text.as_bytes();
    let mut weak = None;
    for found in pattern.find_iter(bytes) {
        let before = bytes.get(..found.start()).unwrap_or_default().trim_ascii_end();
        let word =
            |byte: &u8| byte.is_ascii_alphanumeric() || *byte > 127 || matches!(byte, b':' | b'.' | b',' | b'>' | b'`');
        let words = before.iter().filter(|byte| byte.is_ascii_whitespace()).count();
        // A comparison of constants, a comment or another statement is no lesson.
        let rest = bytes.get(found.start()..).unwrap_or_default();
        let ends = rest.windows(2).any(|pair| pair == b"--" || pair == b"/*") || rest.trim_ascii_end().ends_with(b"#");
        // A quoted name is how PartiQL writes its tables, and no lesson's.
        let quoted = found.as_bytes().contains(&b'"');
        let told = if before.is_empty() { !ends && !quoted } else { words >= 1 && before.last().is_some_and(word) };
        if !told {
            return Some(Hit { range: found.range(), confidence: Confidence::Likely });
        }
        weak = weak.or(Some(Hit { range: found.range(), confidence: Confidence::Hint }));
    }
    weak
}

/// A quote that ends the application's value, an operator, and a predicate written as a call.
fn predicate(subject: &Subject<'_>) -> Option<Hit> {
    static PREDICATE: OnceLock<Regex> = OnceLock::new();
    let pattern = PREDICATE.get_or_init(|| {
        compile(r"['\x22][\s)]*(?:\b(?:or|and|xor)\b|\|\||&&)[\s(]*(?:not\b[\s(]*)?(?:exists|begins_with|starts_with|contains|attribute_(?:not_)?exists|attribute_type|size|isnull|ifnull|nvl|coalesce|length|len|char_length|lower|upper|substr(?:ing)?|mid|left|right|ascii|ord|json_\w+|regexp_like|array_contains|instr|position|strpos|cast|convert|count|abs|if|iif|like|missing)\s?\(")
    });
    let bytes = subject.text.as_bytes();
    let mut quotes = OpenQuotes::new(bytes);
    for found in pattern.find_iter(bytes) {
        if quotes.closes_before(found.start() + 1) {
            return Some(Hit { range: found.range(), confidence: Confidence::Likely });
        }
    }
    None
}

/// `' or '` and `' and (`: the beginning of a condition whose end the application's own quote supplies.
fn dangling(bytes: &[u8]) -> Option<Hit> {
    static DANGLING: OnceLock<Regex> = OnceLock::new();
    let pattern = DANGLING.get_or_init(|| compile(r"^[\w.@%-]{0,40}(?P<quote>['\x22])\s*\)*\s*(?:or|and|\|\||&&|xor)\s*\(*\s*(?:['\x22]\w*['\x22]?|not\b.*|1|true|(?:true|false|null|\d+)\s+(?:or|and)\b.*)\s*$"));
    let found = pattern.find(bytes)?;
    Some(Hit { range: found.range(), confidence: Confidence::Likely })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operand {
    Quoted,
    Number,
    Word,
    Nothing,
}

impl Operand {
    fn of(bytes: &[u8]) -> Operand {
        match bytes.first() {
            None => Operand::Nothing,
            Some(b'\'' | b'"') => Operand::Quoted,
            Some(byte) if byte.is_ascii_digit() || *byte == b'-' => Operand::Number,
            _ => Operand::Word,
        }
    }
}

fn unquoted(bytes: &[u8]) -> &[u8] {
    let inner = |byte: &u8| !matches!(byte, b'\'' | b'"' | b'`');
    let start = bytes.iter().position(inner).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(inner).map_or(start, |at| at + 1);
    bytes.get(start..end.max(start)).unwrap_or_default()
}

fn commented(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b")").unwrap_or(rest).trim_ascii_start();
    let arrow = rest.starts_with(b"---") || rest.starts_with(b"-->");
    !arrow && [&b"--"[..], b"#", b"/*", b";--"].iter().any(|comment| rest.starts_with(comment))
}

/// Whether a quote directly before a place ends a value that was opened outside of the text.
///
/// In `'yes' or 'no'` the quote before `or` is the second of its kind: it closes what the text itself opened. In
/// `x' or` it is the first. Counting goes on from call to call, so that a long text is counted once.
struct OpenQuotes<'a> {
    bytes: &'a [u8],
    counted: usize,
    single: usize,
    double: usize,
}

impl<'a> OpenQuotes<'a> {
    fn new(bytes: &'a [u8]) -> OpenQuotes<'a> {
        OpenQuotes { bytes, counted: 0, single: 0, double: 0 }
    }

    fn closes_before(&mut self, at: usize) -> bool {
        for byte in self.bytes.get(self.counted..at).unwrap_or_default() {
            match byte {
                b'\'' => self.single += 1,
                b'"' => self.double += 1,
                _ => {}
            }
        }
        self.counted = self.counted.max(at);
        let before = self.bytes.get(..at).unwrap_or_default();
        let last = before.iter().rev().take(64).find(|byte| !byte.is_ascii_whitespace() && **byte != b')');
        match last {
            Some(b'\'') => self.single % 2 == 1,
            Some(b'"') => self.double % 2 == 1,
            _ => false,
        }
    }
}

/// A single or double quote left open, then a comment that reaches the end.
fn cut_off(subject: &Subject<'_>) -> Option<Hit> {
    static CUT: OnceLock<Regex> = OnceLock::new();
    let pattern = CUT.get_or_init(|| {
        compile(r"(?P<quote>['\x22])[\s)]*(?:;\s*)?(?P<mark>--[\s+-]*[\w=]{0,12}|#\s*|/\*[^*]{0,40}|;\x00)\s*$")
    });
    let bytes = subject.text.as_bytes();
    let found = pattern.captures(bytes)?;
    let quote = found.name("quote")?;
    let before = bytes.get(..quote.start())?;
    let kind = *quote.as_bytes().first()?;
    let count = before.iter().filter(|byte| **byte == kind).count();
    // "To be" -- Hamlet: the quote closes what was opened in the text. 24" is an inch sign.
    let inches = kind == b'"'
        && before.last().is_some_and(u8::is_ascii_digit)
        && !found.name("mark")?.as_bytes().starts_with(b"--");
    if count % 2 == 1 || inches {
        return None;
    }
    let range: Range<usize> = quote.start()..bytes.len();
    // The plural of `the boys'`, a dash and one more word is the only honest text like this.
    let gap = bytes.get(quote.end()..).is_some_and(|rest| rest.starts_with(b" -- "));
    let tail = bytes.last().is_some_and(u8::is_ascii_alphabetic) && gap && before.contains(&b' ');
    Some(Hit { range, confidence: if tail { Confidence::Hint } else { Confidence::Likely } })
}
