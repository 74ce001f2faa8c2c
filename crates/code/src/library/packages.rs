//! Which package an import comes from, and which imports come with the language.

use crate::Language;

const PYTHON: &str = " __future__ abc argparse array ast asyncio atexit base64 binascii bisect builtins bz2 calendar \
    cmath codecs collections concurrent configparser contextlib contextvars copy copyreg csv ctypes dataclasses \
    datetime decimal difflib dis doctest email encodings enum errno faulthandler filecmp fileinput fnmatch fractions \
    ftplib functools gc getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html http imaplib imghdr \
    importlib inspect io ipaddress itertools json keyword linecache locale logging lzma mailbox marshal math mimetypes \
    mmap multiprocessing netrc numbers operator optparse os pathlib pickle pkgutil platform plistlib poplib posixpath \
    pprint profile pty pwd py_compile queue quopri random re readline reprlib resource runpy sched secrets select \
    selectors shelve shlex shutil signal site smtplib socket socketserver sqlite3 ssl stat statistics string stringprep \
    struct subprocess symtable sys sysconfig syslog tarfile telnetlib tempfile termios textwrap threading time timeit \
    token tokenize tomllib trace traceback tracemalloc tty types typing unicodedata unittest urllib urllib2 urlparse \
    uuid venv warnings wave weakref webbrowser wsgiref xml xmlrpc zipapp zipfile zipimport zlib zoneinfo cgi crypt ";

const NODE: &str = " assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel \
    dns domain events fs http http2 https inspector module net os path perf_hooks process punycode querystring \
    readline repl stream string_decoder sys test timers tls trace_events tty url util v8 vm wasi worker_threads zlib ";

/// The package of an imported module that isn't part of the language.
pub(crate) fn package(name: &str, language: Language) -> Option<&str> {
    let (root, own) = match language {
        Language::Python => (name.split('.').next()?, PYTHON),
        Language::JavaScript => {
            if name.starts_with("node:") || name.contains("://") {
                return None;
            }
            let mut slashes = name.match_indices('/').map(|(at, _)| at);
            let end = if name.starts_with('@') { slashes.nth(1) } else { slashes.next() };
            (name.get(..end.unwrap_or(name.len()))?, NODE)
        }
    };
    let is_own = own.split_ascii_whitespace().any(|module| module == root);
    (!root.is_empty() && !is_own).then_some(root)
}

/// Packages whose calls are modelled: their own code says less than the model, and is long.
pub(crate) fn is_modelled(module: &str) -> bool {
    const PYTHON: [&str; 30] = [
        "boto3",
        "botocore",
        "aioboto3",
        "aiobotocore",
        "s3transfer",
        "aws_lambda_powertools",
        "aws_xray_sdk",
        "aws_secretsmanager_caching",
        "requests",
        "urllib3",
        "httpx",
        "aiohttp",
        "flask",
        "fastapi",
        "starlette",
        "mangum",
        "chalice",
        "pydantic",
        "yaml",
        "jwt",
        "jose",
        "numpy",
        "pandas",
        "PIL",
        "lxml",
        "cryptography",
        "psycopg2",
        "pymysql",
        "sqlalchemy",
        "jinja2",
    ];
    const SCOPES: [&str; 5] = ["@aws-sdk/", "@aws-lambda-powertools/", "@smithy/", "@middy/", "@types/"];
    let root = module.split('.').next().unwrap_or(module);
    PYTHON.contains(&root) || module == "aws-sdk" || SCOPES.iter().any(|scope| module.starts_with(scope))
}
