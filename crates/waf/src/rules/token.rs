//! Headers of JSON Web Tokens that talk a verifier into trusting the sender's own key.
//!
//! The walk hands each token's header over as `jwt:{…}`, with ` unsigned` behind it where the signature is empty.

use super::{Family, Rule, RuleInfo, Severity, certain, hint, likely};

pub(super) static RULES: &[Rule] = &[Rule {
    info: RuleInfo {
        id: "token-trick",
        family: Family::Token,
        severity: Severity::High,
        cwe: 347,
        message: "a token whose header tells the verifier not to check it, or to check it with a key of the sender's",
        why: "`alg: none` asks for no check at all; `jwk` brings the key along; `jku` and `x5u` name an address to fetch it from; a `kid` with a path or a query in it chooses a file or row as the key.",
        example: "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhZG1pbiJ9.",
    },
    patterns: &[
        certain(&["jwt:{"], r"^jwt:\{.{0,2000}\x22alg\x22\s*:\s*\x22\s*none\s*\x22"),
        // A proof of possession brings its key along by design.
        likely(
            &["jwt:{"],
            r"^jwt:\{(?:[^d]|d[^p]|dp[^o]|dpo[^p]){0,4000}\x22jwk\x22\s*:\s*\{(?:[^d]|d[^p]|dp[^o]|dpo[^p]){0,4000}$",
        ),
        likely(&["jwt:{"], r"^jwt:\{.{0,4000}\} unsigned$"),
        likely(
            &["jwt:{"],
            r"^jwt:\{.{0,2000}\x22kid\x22\s*:\s*\x22[^\x22]*(?:\.\./|/dev/|/etc/|/proc/|\\\\|'|;|\||https?:)",
        ),
        likely(
            &["jwt:{"],
            r"^jwt:\{.{0,2000}\x22(?:jku|x5u)\x22\s*:\s*\x22(?:http:|file:|ftp:|https?://(?:\d|localhost|\[|[^/\x22]*@))",
        ),
        hint(&["jwt:{"], r"^jwt:\{.{0,2000}\x22(?:jku|x5u)\x22\s*:\s*\x22https"),
    ],
}];
