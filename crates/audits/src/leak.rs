//! Looks for credentials in text: source code and the settings beside it. What a credential looks like is `secret`'s to say;
//! here is where one stands, and what only looks like one in code: messages, labels, references, forms to fill in.

use crate::secret::{Secret, marks, recognise, shaped};
use aho_corasick::AhoCorasick;
use findings::{Confidence, Severity};
use regex::Regex;
use std::sync::LazyLock;

/// Longer files aren't looked through: none that people write are.
const MAX_BYTES: usize = 1 << 20;
/// Longer lines are made by machines.
const MAX_LINE: usize = 4_000;
/// Credentials told of one file.
const MAX_FOUND: usize = 50;

/// How settings are written in a kind of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Values stand in quotes.
    Code,
    /// `NAME=value`, `name: value`, with quotes or without.
    Settings,
}

/// A credential in a text, by its place in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leak {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The name it goes under, where it has one.
    pub(crate) name: String,
    pub(crate) secret: Secret,
}

/// A line without any of these holds no named credential.
const STEMS: [&str; 10] = ["pass", "pwd", "_pw", "secret", "token", "key", "cred", "auth", "://", "connection"];

/// The longest value, in characters.
const MAX_VALUE: usize = 400;

/// All stems at once.
static STEM: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(STEMS).ok());

// What isn't ASCII counts as a letter, since a pattern that knows letters from signs in every language is a large and slow
// automaton; so is one that counts a value's characters.
// INVARIANT: the patterns are constants; the test below compiles each of them.
static IN_QUOTES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"["']?([A-Za-z_][0-9A-Za-z_.\x{80}-\x{10FFFF}-]{1,60})["']?\]?[ \t\r]*(?::[ \t\r]*[0-9A-Za-z_.<>\[\] \x{80}-\x{10FFFF}]{1,30})?[ \t\r]*(?:=>|:=|[=:])[ \t\r]*[bruf]{0,2}["'`]([^"'`\n]{3,})["'`]"#,
    )
    .ok()
});
static BARE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"^[ \t\r]*(?:export[ \t\r]+|-[ \t\r]+)?["']?([A-Za-z_][0-9A-Za-z_.\x{80}-\x{10FFFF}-]{1,60})["']?[ \t\r]*[=:][ \t\r]*["']?([^"' \t\r\n#,][^"'\n#]{2,}?)["']?,?[ \t\r\n]*$"#,
    )
    .ok()
});

/// The credentials in a text.
pub(crate) fn leaks(text: &str, form: Form) -> Vec<Leak> {
    let mut found: Vec<Leak> = Vec::new();
    if text.len() > MAX_BYTES {
        return found;
    }
    let mut marks = marks(text).peekable();
    let mut stems = STEM.iter().flat_map(|stem| stem.find_iter(text)).map(|found| found.end()).peekable();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let mut candidates = 0;
        while let Some((_, shape)) = marks.next_if(|(end, _)| *end <= offset) {
            candidates |= shape;
        }
        let mut has_stem = false;
        while stems.next_if(|end| *end <= offset).is_some() {
            has_stem = true;
        }
        // An address has a stem as well.
        if candidates == 0 && !has_stem {
            continue;
        }
        if line.len() > MAX_LINE || line.len() < 6 || found.len() >= MAX_FOUND {
            continue;
        }
        if let Some((from, to, secret)) = shaped(line, candidates) {
            found.push(Leak { start: start + from, end: start + to, name: String::new(), secret });
            continue;
        }
        if !has_stem || !line.contains(['=', ':']) {
            continue;
        }
        let quoted = line.contains(['"', '\'', '`']);
        let patterns = match form {
            Form::Code => [None, quoted.then_some(&IN_QUOTES)],
            Form::Settings => [Some(&BARE), quoted.then_some(&IN_QUOTES)],
        };
        let patterns = patterns.into_iter().flatten().filter_map(|pattern| pattern.as_ref());
        for captures in patterns.flat_map(|pattern| pattern.captures_iter(line)) {
            let (Some(name), Some(value)) = (captures.get(1), captures.get(2)) else { continue };
            if value.len() > MAX_VALUE && value.as_str().chars().count() > MAX_VALUE {
                continue;
            }
            let Some(secret) = named(name.as_str(), value.as_str().trim_end(), form) else { continue };
            let leak = Leak {
                start: start + value.start(),
                end: start + value.start() + value.as_str().trim_end().len(),
                name: name.as_str().to_string(),
                secret,
            };
            if !found.iter().any(|known| known.start < leak.end && leak.start < known.end) {
                found.push(leak);
            }
        }
    }
    found
}

/// A value under a name, where it isn't what people write about credentials.
fn named(name: &str, value: &str, form: Form) -> Option<Secret> {
    let name = name.rsplit('.').next().unwrap_or(name);
    let text = value.trim();
    let is_message = text.contains(' ') || text.ends_with(':') || text.ends_with('?');
    let is_made =
        ["{", "}", "%s", "$(", "+", "<", "(", "::"].iter().any(|part| text.contains(part)) && !text.contains("://");
    let is_place =
        text.starts_with(['$', '/', '.', '!', '[', '*']) || text.contains("process.env") || text.contains("os.environ");
    // A name of a name: `password_field = "password"`.
    let squeeze = |text: &str| -> String {
        text.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let (small_name, small_text) = (squeeze(name), squeeze(text));
    let repeats = small_name.contains(&small_text)
        || small_text.contains(&small_name) && !text.bytes().any(|byte| byte.is_ascii_digit());
    if is_message || is_made || is_place || repeats || is_reference(text) {
        return None;
    }
    let mut secret = recognise(name, text)?;
    let letters =
        text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.' | b'|' | b':'));
    // A word may be a label, and what has no digits is seldom a key.
    if letters && secret.severity > Severity::Low {
        let is_password = secret.what.contains("password");
        // What signs sessions and tokens is often a phrase that somebody thought up.
        let signs = form == Form::Code
            && text.len() >= 12
            && ["secretkey", "jwtsecret", "sessionsecret", "cookiesecret", "tokensecret", "signingkey"]
                .iter()
                .any(|end| small_name.ends_with(end));
        if !is_password && !signs {
            return None;
        }
        (secret.severity, secret.confidence) = match form {
            // A label in somebody's language, more often than not.
            Form::Settings => (Severity::Low, Confidence::Low),
            Form::Code => (Severity::Medium, Confidence::Low),
        };
    }
    if secret.confidence == Confidence::Low && secret.severity == Severity::Medium && text.len() < 16 {
        secret.severity = Severity::Low;
    }
    Some(secret)
}

/// What leads elsewhere, or is a checksum or an identifier of public use.
fn is_reference(text: &str) -> bool {
    let hexadecimal = text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    [
        "http://",
        "https://",
        "arn:",
        "sha256-",
        "sha384-",
        "sha512-",
        "sha1-",
        "urn:",
        "ssm:",
        "secretsmanager:",
        "{{resolve",
    ]
    .iter()
    .any(|start| text.starts_with(start))
        && !text.contains('@')
        || text.starts_with("pk_")
        || text.starts_with("ssh-rsa")
        || text.contains("PUBLIC KEY")
        || hexadecimal && text.len() != 32 && text.len() != 40 && text.len() != 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str, form: Form) -> Vec<String> {
        leaks(text, form)
            .into_iter()
            .map(|leak| format!("{} {}: {}", leak.secret.severity, leak.name, leak.secret.what))
            .collect()
    }

    #[test]
    fn the_patterns_compile() {
        assert!(IN_QUOTES.is_some() && BARE.is_some());
    }

    #[test]
    fn credentials_in_code_are_found_by_shape_and_by_name() {
        // Put together here so that no scanner takes this file for a leak.
        let stripe = format!("stripe.api_key = \"{}{}\"", "sk_live_", "51Hq8sKJd73hsYwq2aa");
        assert_eq!(seen(&stripe, Form::Code), ["high : a Stripe live key"]);
        assert_eq!(seen("DB_PASSWORD = 'Tr0ub4dor&3x'", Form::Code), ["high DB_PASSWORD: a password"]);
        assert_eq!(
            seen("const config = { jwtSecret: 'kJ8sh2Lq9ZxT7wVb4RmN' };", Form::Code),
            ["high jwtSecret: a secret"]
        );
        assert_eq!(seen("conn = connect('postgres://shop:Tr0ub4dor3@db:5432/x')", Form::Code).len(), 1);
        assert_eq!(seen("API_TOKEN=kJ8sh2Lq9ZxT7wVb4RmN\nDB_PASS=x\n", Form::Settings), ["high API_TOKEN: a token"]);
    }

    #[test]
    fn a_phrase_that_signs_sessions_is_a_credential() {
        assert_eq!(
            seen("app.secret_key = 'TheGeeseFlyNorthAgain'", Form::Code),
            ["medium app.secret_key: a secret key"]
        );
        for text in
            ["app.secret_key = 'geese'", "jwt_secret = 'jwt-secret-of-orders'", "partition_key = 'TheGeeseFlyNorth'"]
        {
            assert_eq!(seen(text, Form::Code), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn what_only_speaks_of_credentials_in_code_is_left_alone() {
        for text in [
            "errors = {'password': 'Password is required'}",
            "password = os.environ['DB_PASSWORD']",
            "PASSWORD_FIELD = 'password'",
            "token_url = 'https://login.example.com/oauth2/token'",
            "headers = {'Authorization': f'Bearer {token}'}",
            "const secretName = 'prod/db/main';",
            "key = 'orders/2024/01.json'",
            "etag = 'd41d8cd98f00b204e9800998ecf8427e'",
            "integrity = \"sha384-nn4HPE8lTHyVtfCBi5yW9d20FjT8BJwUXyWZT9InLYax14RDjBj46LmSztkmNP9w\"",
            "\"token\": \"string\"",
            "API_KEY = \"your-api-key\"[0:0]",
            "secret = client.get_secret_value(SecretId='prod-db')['SecretString']",
            "partition_key = 'customer#8f7e6d5c'",
            "next_token = response.get('NextToken')",
            "cache_key = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b'",
            "user_id = '0f8fad5b-d9cb-469f-a165-70867728950e'",
        ] {
            let found: Vec<_> =
                leaks(text, Form::Code).into_iter().filter(|leak| leak.secret.severity >= Severity::Medium).collect();
            assert!(found.is_empty(), "{text}: {found:?}");
        }
    }
}
