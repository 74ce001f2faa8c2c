//! Recognising credentials in configuration: by the shape providers give them, in connection strings, and by the name a
//! value goes under. Nothing here keeps or shows a secret whole.

use aho_corasick::AhoCorasick;
use findings::{Confidence, Severity};
use regex::Regex;
use std::sync::{LazyLock, OnceLock};

/// Stands in a text for what only deployment knows.
pub(crate) const HOLE: char = '\u{0}';

/// A credential that was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    /// What it is, with an article: `a Stripe live key`.
    pub(crate) what: String,
    /// Its first characters, for people to find it by.
    pub(crate) masked: String,
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
}

/// A shape that a provider gives its credentials so that they can be found.
struct Shape {
    what: &'static str,
    /// Text of which one stands in every credential of the shape: what tells quickly that there is none.
    marks: &'static [&'static str],
    pattern: &'static str,
    severity: Severity,
    /// Made when one of its marks is met first; few texts have any.
    compiled: OnceLock<Option<Regex>>,
}

const fn shape(what: &'static str, marks: &'static [&'static str], pattern: &'static str, severity: Severity) -> Shape {
    Shape { what, marks, pattern, severity, compiled: OnceLock::new() }
}

impl Shape {
    fn find<'t>(&self, text: &'t str) -> Option<regex::Match<'t>> {
        // INVARIANT: the patterns are constants; the test below compiles each of them.
        self.compiled.get_or_init(|| Regex::new(self.pattern).ok()).as_ref()?.find(text)
    }
}

static SHAPES: [Shape; 29] = [
    shape("a private key", &["-----BEGIN "], r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----", Severity::High),
    shape("a Stripe live key", &["k_live_"], r"\b[sr]k_live_[0-9A-Za-z]{10,}", Severity::High),
    shape("a Stripe test key", &["k_test_"], r"\b[sr]k_test_[0-9A-Za-z]{10,}", Severity::Medium),
    shape("a Stripe signing secret", &["whsec_"], r"\bwhsec_[0-9A-Za-z+/]{24,}", Severity::High),
    shape("a GitHub token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], r"\bgh[pousr]_[0-9A-Za-z]{36,}", Severity::High),
    shape("a GitHub token", &["github_pat_"], r"\bgithub_pat_[0-9A-Za-z_]{22,}", Severity::High),
    shape("a GitLab token", &["glpat-"], r"\bglpat-[0-9A-Za-z_-]{20,}", Severity::High),
    shape("a Slack token", &["xox"], r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}", Severity::High),
    shape(
        "a Slack web hook",
        &["https://hooks.slack.com/"],
        r"https://hooks\.slack\.com/(?:services|workflows)/[0-9A-Za-z/]{20,}",
        Severity::Medium,
    ),
    shape(
        "a Discord web hook",
        &["https://discord"],
        r"https://discord(?:app)?\.com/api/webhooks/\d+/[0-9A-Za-z_-]{20,}",
        Severity::Medium,
    ),
    shape("a Google API key", &["AIza"], r"\bAIza[0-9A-Za-z_-]{35}", Severity::High),
    shape("a Google client secret", &["GOCSPX-"], r"\bGOCSPX-[0-9A-Za-z_-]{20,}", Severity::High),
    shape("a SendGrid key", &["SG."], r"\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}", Severity::High),
    shape("a Mailgun key", &["key-"], r"\bkey-[0-9a-f]{32}\b", Severity::High),
    shape("a Twilio key", &["SK"], r"\bSK[0-9a-f]{32}\b", Severity::High),
    shape("a Telegram bot token", &[":AA"], r"\b\d{8,10}:AA[0-9A-Za-z_-]{33}", Severity::High),
    shape("an Anthropic key", &["sk-ant-"], r"\bsk-ant-[0-9A-Za-z_-]{20,}", Severity::High),
    shape("an OpenAI key", &["sk-"], r"\bsk-(?:proj-|svcacct-|admin-)?[0-9A-Za-z_-]{32,}", Severity::High),
    shape("an npm token", &["npm_"], r"\bnpm_[0-9A-Za-z]{36}", Severity::High),
    shape("a PyPI token", &["pypi-AgEI"], r"\bpypi-AgEI[0-9A-Za-z_-]{20,}", Severity::High),
    shape("a Hugging Face token", &["hf_"], r"\bhf_[A-Za-z]{34}", Severity::High),
    shape(
        "a Shopify token",
        &["shpat_", "shpca_", "shppa_", "shpss_"],
        r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
        Severity::High,
    ),
    shape("a Square secret", &["sq0csp-"], r"\bsq0csp-[0-9A-Za-z_-]{40,}", Severity::High),
    shape("a DigitalOcean token", &["doo_v1_", "dop_v1_", "dor_v1_"], r"\bdo[opr]_v1_[0-9a-f]{64}", Severity::High),
    shape("a Databricks token", &["dapi"], r"\bdapi[0-9a-f]{32}", Severity::High),
    shape("a New Relic key", &["NRAK-"], r"\bNRAK-[0-9A-Z]{27}", Severity::High),
    shape("an Azure storage key", &["AccountKey="], r"AccountKey=[0-9A-Za-z+/]{40,}={0,2}", Severity::High),
    // The identifier alone opens nothing, but where it stands its secret can't be far.
    shape("an AWS access key id", &["AKIA", "ASIA"], r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", Severity::Medium),
    shape(
        "a JSON Web Token",
        &["eyJ"],
        r"\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}",
        Severity::Medium,
    ),
];

/// All marks at once, and the shape that each of them belongs to.
static MARKS: LazyLock<Option<(AhoCorasick, Vec<usize>)>> = LazyLock::new(|| {
    let marks = || SHAPES.iter().enumerate().flat_map(|(at, shape)| shape.marks.iter().map(move |mark| (at, *mark)));
    Some((AhoCorasick::new(marks().map(|(_, mark)| mark)).ok()?, marks().map(|(at, _)| at).collect()))
});

/// Where marks of shapes stand in a text: the end of each, and the shape as a bit.
pub(crate) fn marks(text: &str) -> impl Iterator<Item = (usize, u64)> {
    let found = MARKS.as_ref().map(|(finder, owners)| {
        finder
            .find_overlapping_iter(text)
            .filter_map(|found| Some((found.end(), 1 << owners.get(found.pattern().as_usize())?)))
    });
    found.into_iter().flatten()
}

/// The first shape, of those whose bits are given, that a text holds.
fn first_shape(text: &str, candidates: u64) -> Option<(&'static Shape, regex::Match<'_>)> {
    let shapes = SHAPES.iter().enumerate().filter(|(at, _)| candidates & (1 << at) != 0);
    shapes.into_iter().find_map(|(_, shape)| Some((shape, shape.find(text)?)))
}

static IN_URL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[A-Za-z][0-9A-Za-z+.-]*://[^/\s:@]*:([^@\s/]+)@").ok());

static IN_SETTINGS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?i)(?:^|[;\s])(?:password|pwd)\s*=\s*["']?([^;\s"']+)"#).ok());

/// The password in an address.
fn in_url(text: &str) -> Option<regex::Match<'_>> {
    // Most addresses name nobody, and the pattern is slow to try.
    let may = text.contains("://") && text.contains('@');
    may.then(|| IN_URL.as_ref()?.captures(text)?.get(1)).flatten()
}

/// The first credential of a provider's shape, or with a connection string around it, by its place in a text. `candidates`
/// are the shapes of which [`marks`] found one in it.
pub(crate) fn shaped(text: &str, candidates: u64) -> Option<(usize, usize, Secret)> {
    let secret = |what: &str, found: &str, severity, confidence| Secret {
        what: what.to_string(),
        masked: mask(found),
        severity,
        confidence,
    };
    if let Some((shape, found)) = first_shape(text, candidates) {
        let example = found.as_str().contains("EXAMPLE") || is_placeholder(found.as_str());
        let severity = if example { Severity::Low } else { shape.severity };
        let confidence = if example { Confidence::Low } else { Confidence::High };
        return Some((found.start(), found.end(), secret(shape.what, found.as_str(), severity, confidence)));
    }
    let found = in_url(text)?;
    let password = found.as_str();
    if refers(password) || password.contains(['{', '}', '%', '<', '+', '"', '\'', '$', '(', ' ']) {
        return None;
    }
    let severity = if is_placeholder(password) { Severity::Low } else { Severity::High };
    let confidence = if severity == Severity::Low { Confidence::Low } else { Confidence::High };
    Some((found.start(), found.end(), secret("a connection string with its password", password, severity, confidence)))
}

/// Looks at a setting: its name, and its value with [`HOLE`] for what isn't known.
pub(crate) fn recognise(name: &str, text: &str) -> Option<Secret> {
    let text = text.trim();
    let candidates = marks(text).fold(0, |all, (_, shape)| all | shape);
    if let Some((shape, found)) = first_shape(text, candidates) {
        let (found, severity) = (found.as_str(), shape.severity);
        let placeholder = is_placeholder(found);
        return Some(Secret {
            what: shape.what.to_string(),
            masked: mask(found),
            // AWS's own documentation key is in half of all examples.
            severity: if found.ends_with("EXAMPLE") { Severity::Low } else { severity },
            confidence: if placeholder || severity == Severity::Medium { Confidence::Medium } else { Confidence::High },
        });
    }
    let in_settings = || {
        let pattern = text.contains('=').then(|| IN_SETTINGS.as_ref()).flatten()?;
        pattern.captures(text)?.get(1)
    };
    for password in [in_url(text), in_settings()].into_iter().flatten() {
        let password = password.as_str();
        if password.contains(HOLE) || refers(password) {
            continue;
        }
        let placeholder = is_placeholder(password);
        return Some(Secret {
            what: "a connection string with its password".to_string(),
            masked: mask(password),
            severity: if placeholder { Severity::Low } else { Severity::High },
            confidence: if placeholder { Confidence::Low } else { Confidence::High },
        });
    }
    by_name(name, text)
}

/// What a name says its value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Password,
    Other,
}

fn by_name(name: &str, text: &str) -> Option<Secret> {
    let (kind, noun) = kind(name)?;
    if text.contains(HOLE) || is_no_credential(kind, name, text) {
        return None;
    }
    let (severity, confidence) = if is_placeholder(text) || text.eq_ignore_ascii_case(name) {
        (Severity::Low, Confidence::Low)
    } else if text.len() >= 16 && entropy(text) >= 3.5 {
        (Severity::High, Confidence::High)
    } else if kind == Kind::Password {
        (Severity::High, Confidence::Medium)
    } else {
        (Severity::Medium, Confidence::Low)
    };
    let what = if severity == Severity::Low { format!("a placeholder for {noun}") } else { noun.to_string() };
    Some(Secret { what, masked: mask(text), severity, confidence })
}

/// Words after which a name means something about a credential, or a way to it, rather than the credential.
const POINTERS: &[&str] = &[
    "name",
    "names",
    "arn",
    "arns",
    "id",
    "ids",
    "url",
    "urls",
    "uri",
    "endpoint",
    "path",
    "param",
    "parameter",
    "ref",
    "table",
    "bucket",
    "queue",
    "topic",
    "ttl",
    "expiry",
    "expires",
    "expiration",
    "lifetime",
    "validity",
    "age",
    "length",
    "size",
    "timeout",
    "algorithm",
    "alg",
    "header",
    "issuer",
    "audience",
    "type",
    "region",
    "limit",
    "count",
    "enabled",
    "required",
    "prefix",
    "suffix",
    "file",
    "filename",
    "dir",
    "version",
    "location",
    "mode",
    "format",
    "provider",
    "label",
    "stage",
    "host",
    "port",
    "manager",
    "store",
    "policy",
    "rotation",
    "min",
    "max",
    "use",
    "usage",
    "field",
    "column",
    "attribute",
    "scope",
    "scopes",
    "index",
    "cache",
    "extension",
    "handler",
    "function",
    "lambda",
    "service",
    "alias",
    "source",
    "validator",
    "verify",
    "check",
    "reset",
    "layer",
    "interval",
    "seconds",
    "days",
    "hours",
    "minutes",
    "iterations",
    "rounds",
    "cost",
    "attempts",
    "retries",
    "input",
    "box",
    "selector",
    "placeholder",
];

/// What a variable's name says, if it speaks of a credential.
fn kind(name: &str) -> Option<(Kind, &'static str)> {
    let words = words(name);
    let mut found = None;
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| words.get(at)).map_or("", String::as_str);
        let kind = match word.as_str() {
            "password" | "passwd" | "pwd" | "pw" | "passphrase" | "passcode" => Some((Kind::Password, "a password")),
            "secret" | "secrets" => Some((Kind::Other, "a secret")),
            "token" => Some((Kind::Other, "a token")),
            "credential" | "credentials" | "creds" => Some((Kind::Other, "credentials")),
            "apikey" => Some((Kind::Other, "an API key")),
            "key" if before == "api" => Some((Kind::Other, "an API key")),
            "key"
                if matches!(
                    before,
                    "access"
                        | "private"
                        | "secret"
                        | "encryption"
                        | "signing"
                        | "auth"
                        | "master"
                        | "shared"
                        | "jwt"
                        | "hmac"
                        | "aes"
                ) =>
            {
                Some((Kind::Other, "a secret key"))
            }
            word if word.len() > 8 && ["password", "passwd"].iter().any(|end| word.ends_with(end)) => {
                Some((Kind::Password, "a password"))
            }
            word if word.len() > 6
                && ["secret", "apikey", "apitoken", "authtoken"].iter().any(|end| word.ends_with(end)) =>
            {
                Some((Kind::Other, "a secret"))
            }
            _ => None,
        };
        if let Some(kind) = kind {
            found = Some((at, kind));
        }
    }
    let (at, kind) = found?;
    let points = |word: &String| POINTERS.contains(&word.as_str());
    let public = words.iter().any(|word| matches!(word.as_str(), "public" | "publishable" | "anon"));
    (!public && !words[at + 1..].iter().any(points)).then_some(kind)
}

/// The words of a name in any of the usual spellings, lower case: `dbPassword`, `DB_PASSWORD`, `db-password`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut previous = ' ';
    for letter in name.chars() {
        let starts = letter.is_uppercase() && (previous.is_lowercase() || previous.is_ascii_digit());
        if starts || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        previous = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a value leads to a credential kept elsewhere.
fn refers(text: &str) -> bool {
    text.contains("{{")
        || text.contains("${")
        || text.starts_with('$')
        || (text.starts_with('<') && text.ends_with('>'))
}

/// Whether a value under a telling name still is none: a flag, a number, a name, an address, a path.
fn is_no_credential(kind: Kind, name: &str, text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if text.chars().count() < 3
        || matches!(
            lower.as_str(),
            "true"
                | "false"
                | "yes"
                | "no"
                | "on"
                | "off"
                | "none"
                | "null"
                | "nil"
                | "undefined"
                | "n/a"
                | "enabled"
                | "disabled"
                | "optional"
                | "required"
        )
    {
        return true;
    }
    if refers(text) && !(text.starts_with('<') && kind == Kind::Password) {
        return true;
    }
    // Where to find it: an ARN, a parameter's or a file's path, an address without user information.
    if ["arn:", "/", "./", "alias/", "s3://", "ssm:", "ssm://", "secretsmanager:", "vault:", "op://"]
        .iter()
        .any(|start| lower.starts_with(start))
        || (lower.contains("://") && !lower.contains('@'))
        || [".pem", ".json", ".key", ".txt", ".yaml", ".yml", ".crt", ".p12", ".pfx"]
            .iter()
            .any(|end| lower.ends_with(end))
    {
        return true;
    }
    if kind == Kind::Password {
        return false;
    }
    let all = |test: fn(u8) -> bool| text.bytes().all(test);
    let parts: Vec<&str> = lower.split(['-', '_', '.', '/', ':']).collect();
    let names_itself = parts.iter().any(|part| {
        matches!(
            *part,
            "secret"
                | "secrets"
                | "password"
                | "token"
                | "tokens"
                | "key"
                | "keys"
                | "apikey"
                | "creds"
                | "credential"
                | "credentials"
                | "param"
                | "parameter"
        )
    }) && parts.len() > 1;
    // A key of a key service is named by a UUID.
    let kms = name.to_ascii_lowercase().contains("encryption") && is_uuid(&lower);
    all(|byte| byte.is_ascii_digit() || byte == b'.')
        || (names_itself && !is_placeholder(text) && parts.iter().all(|part| part.len() < 20))
        || all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        || (text.len() < 12 && all(|byte| byte.is_ascii_alphabetic()))
        // `My-App/Database` and `MyDatabaseSecret` are what secrets are called.
        || (text.contains('/') && parts.iter().all(|part| part.len() < 16 && !part.bytes().any(|byte| byte.is_ascii_digit())))
        || ["secret", "token", "apikey", "credentials"].iter().any(|end| lower.ends_with(end) && all(|byte| byte.is_ascii_alphabetic()))
        || text.contains(' ')
        || kms
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Whether a value only stands where a credential is to go.
fn is_placeholder(text: &str) -> bool {
    let squeezed: String =
        text.to_ascii_lowercase().chars().filter(|letter| !matches!(letter, '-' | '_' | ' ' | '.')).collect();
    [
        "changeme",
        "changeit",
        "replaceme",
        "replaced",
        "replacewith",
        "replacethis",
        "placeholder",
        "example",
        "dummy",
        "todo",
        "fixme",
        "yourpassword",
        "yoursecret",
        "yourtoken",
        "yourapi",
        "yourkey",
        "insertyour",
        "enteryour",
        "puther",
        "redacted",
        "notareal",
        "notreal",
        "xxxx",
        "****",
        "mypassword",
        "supersecret",
        "sample",
        "fake",
    ]
    .iter()
    .any(|word| squeezed.contains(word))
        || squeezed.starts_with("your")
        || squeezed.starts_with('<')
        || matches!(
            squeezed.as_str(),
            "test"
                | "testing"
                | "secret"
                | "password"
                | "passwd"
                | "pass"
                | "token"
                | "foo"
                | "bar"
                | "foobar"
                | "string"
                | "value"
                | "default"
                | "admin"
                | "root"
                | "guest"
                | "tbd"
                | "apikey"
                | "key"
                | "local"
                | "dev"
                | "abc123"
                | "123456"
                | "12345678"
                | "secretkey"
                | "mysecret"
        )
}

/// Shannon entropy in bits per character.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = text.len().max(1) as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / length;
            -share * share.log2()
        })
        .sum()
}

/// The first characters, few enough to give nothing away.
fn mask(text: &str) -> String {
    if text.starts_with("-----") || text.chars().count() < 12 {
        return "…".to_string();
    }
    text.chars().take(4).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_compiles() {
        assert!(SHAPES.len() <= 64, "each shape has a bit of its own");
        for shape in &SHAPES {
            assert!(Regex::new(shape.pattern).is_ok(), "{}", shape.what);
            assert!(!shape.marks.is_empty() && shape.marks.iter().all(|mark| mark.len() > 1), "{}", shape.what);
        }
        assert!(IN_URL.is_some() && IN_SETTINGS.is_some());
    }

    fn seen(name: &str, text: &str) -> Option<(Severity, String)> {
        recognise(name, text).map(|secret| (secret.severity, secret.what))
    }

    #[test]
    fn credentials_are_recognised() {
        // Put together here so that no scanner takes this file for a leak.
        let joined = |left: &str, right: &str| format!("{left}{right}");
        for (name, value, severity, what) in [
            ("X", joined("sk_live_", "51Hq8sKJd73hsYwq2"), Severity::High, "a Stripe live key"),
            ("X", joined("sk_test_", "51Hq8sKJd73hsYwq2"), Severity::Medium, "a Stripe test key"),
            ("X", joined("ghp_", "16C7e42F292c6912E7710c838347Ae178B4a"), Severity::High, "a GitHub token"),
            ("X", joined("xoxb-", "2151342-abcdefghij"), Severity::High, "a Slack token"),
            ("X", joined("AIza", "SyA1234567890abcdefghijklmnopqrstuv"), Severity::High, "a Google API key"),
            ("X", joined("AKIA", "QYLPMN5HFIQR7XYA"), Severity::Medium, "an AWS access key id"),
            ("X", joined("-----BEGIN RSA ", "PRIVATE KEY-----\nMIIE"), Severity::High, "a private key"),
            (
                "X",
                joined("eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJlaXQ"),
                Severity::Medium,
                "a JSON Web Token",
            ),
            (
                "DATABASE_URL",
                "postgres://shop:Tr0ub4dor@db:5432/x".into(),
                Severity::High,
                "a connection string with its password",
            ),
            (
                "CONNECTION",
                "Server=db;User Id=sa;Password=Tr0ub4dor;".into(),
                Severity::High,
                "a connection string with its password",
            ),
            ("DB_PASSWORD", "hunter22".into(), Severity::High, "a password"),
            ("dbPassword", "123321".into(), Severity::High, "a password"),
            ("JWT_SECRET", "kJ8sh2Lq9ZxT7wVb4RmN".into(), Severity::High, "a secret"),
            (
                "AWS_SECRET_ACCESS_KEY",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzkQm3Tn9q".into(),
                Severity::High,
                "a secret key",
            ),
            ("MAPS_API_KEY", "0f8fad5b-d9cb-469f-a165-70867728950e".into(), Severity::High, "an API key"),
            ("DB_PASSWORD", "changeme".into(), Severity::Low, "a placeholder for a password"),
            ("API_KEY", "your-api-key-here1".into(), Severity::Low, "a placeholder for an API key"),
        ] {
            let found = seen(name, &value);
            assert!(found.as_ref().is_some_and(|(a, b)| *a == severity && b == what), "{name}={value}: {found:?}");
        }
    }

    #[test]
    fn what_only_speaks_of_credentials_is_left_alone() {
        for (name, value) in [
            ("DB_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:1:secret:db"),
            ("DB_SECRET", "arn:aws:secretsmanager:eu-west-1:1:secret:db"),
            ("SECRET_NAME", "kJ8sh2Lq9ZxT7wVb4RmN"),
            ("DB_PASSWORD", "/shop/prod/db-password"),
            ("API_KEY", "/shop/api-key"),
            ("SECRET", "prod-db-secret"),
            ("SECRET", "Shop/Database"),
            ("TOKEN_TABLE", "tokens-live-table-12345678"),
            ("TOKEN_EXPIRES_IN", "3600"),
            ("MAX_TOKENS", "4096"),
            ("ACCESS_TOKEN", "true"),
            ("PASSWORD_MIN_LENGTH", "12"),
            ("SECRETS_MANAGER_ENDPOINT", "https://secretsmanager.eu-west-1.amazonaws.com"),
            ("TOKEN_URL", "https://login.example/oauth2/token"),
            ("AUTH_TOKEN", "https://login.example/oauth2/token"),
            ("STRIPE_PUBLISHABLE_API_KEY", "pk_live_51Hq8sKJd73hsYwq2"),
            ("DATABASE_URL", "postgres://shop:\0@db/x"),
            ("DATABASE_URL", "postgres://db:5432/x"),
            ("PARTITION_KEY", "customer#8f7e6d5c4b3a2918"),
            ("ENCRYPTION_KEY", "0f8fad5b-d9cb-469f-a165-70867728950e"),
            ("BUILD", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
            ("DB_PASSWORD", ""),
        ] {
            assert_eq!(seen(name, value), None, "{name}={value}");
        }
    }

    #[test]
    fn a_secret_is_never_shown_whole() {
        for text in ["hunter22", "abc", "kJ8sh2Lq9ZxT7wVb4RmN"] {
            let masked = mask(text);
            assert!(masked.ends_with('…') && !masked.contains(text) && masked.chars().count() <= 5, "{masked}");
        }
    }
}
