//! What pages load from elsewhere, and what code fetches unencrypted.
//!
//! Pages are read tag by tag, without running anything: what scripts load later isn't seen.

use super::{finding, packages};
use crate::files::{Found, Root};
use crate::load::Loaded;
use deps::{Ecosystem, Index, Package, Version};
use findings::{AuditInfo, Confidence, Finding, Severity};
use source::{FileId, SourceFile, Span};
use std::collections::BTreeSet;

pub(crate) const COMPROMISED_HOST: AuditInfo = AuditInfo {
    id: "compromised-host",
    title: "A script from a host that served malicious code",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[829, 506],
    docs: r#"A page loads a script or style from a host that is known to have served malicious code: `polyfill.io` and the networks that
its buyers ran (`bootcdn.net`, `bootcss.com`, `staticfile.net`, `staticfile.org` and others), as Sansec published in June 2024.

## Why it matters
What comes from there runs in your visitors' browsers with all that the page may do: read what they type, act as them.

## Remediation
Remove it. Browsers of today need no polyfills; where one is needed, serve it yourself.

```html
<script src="/js/polyfills.js"></script>
```

## When it doesn't fire
Not for other hosts, however unknown, and not for addresses inside comments.
"#,
};

pub(crate) const MISSING_INTEGRITY: AuditInfo = AuditInfo {
    id: "missing-integrity",
    title: "A script from elsewhere that nothing checks",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[353, 829],
    docs: r#"A page loads a script from another host, or a style from a public network of packages, without a hash of what it expects
(`integrity`, W3C's Subresource Integrity).

## Why it matters
Whoever gets hold of that host, or of the package, runs code in your visitors' browsers.

## Remediation
Name a fixed version with its hash, or serve the file yourself.

```html
<script src="https://code.jquery.com/jquery-3.7.1.min.js" integrity="sha256-..." crossorigin="anonymous"></script>
```

## When it doesn't fire
Not for services whose script changes by design and so has no hash (payment, maps, captchas, fonts, analytics).
"#,
};

pub(crate) const PLAINTEXT_CONNECTION: AuditInfo = AuditInfo {
    id: "plaintext-connection",
    title: "Something is fetched over plain HTTP",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[319],
    docs: r#"A page loads a script or style over plain HTTP, or a function's code talks to a host on the internet that way (low).

## Why it matters
Anyone on the way reads what is sent and changes what comes back; a script that is changed does what they want.

## Remediation
Use `https://`.

```html
<script src="https://code.jquery.com/jquery-3.7.1.min.js"></script>
```

## When it doesn't fire
Not for the machine itself, for addresses of private networks and for names without a dot.
"#,
};

/// Hosts that served malicious code, by Sansec's report of June 2024 on polyfill.io and the networks of its buyers.
const COMPROMISED: [&str; 9] = [
    "polyfill.io",
    "bootcdn.net",
    "bootcss.com",
    "staticfile.net",
    "staticfile.org",
    "unionadjs.com",
    "xhsbpza.com",
    "union.macoms.la",
    "newcrbpc.com",
];

/// Services whose script or style changes by design.
const CHANGING: [&str; 18] = [
    "fonts.googleapis.com",
    "maps.googleapis.com",
    "apis.google.com",
    "accounts.google.com",
    "www.google.com",
    "www.gstatic.com",
    "www.googletagmanager.com",
    "www.google-analytics.com",
    "pagead2.googlesyndication.com",
    "js.stripe.com",
    "www.paypal.com",
    "connect.facebook.net",
    "platform.twitter.com",
    "use.typekit.net",
    "kit.fontawesome.com",
    "challenges.cloudflare.com",
    "js.hcaptcha.com",
    "sdk.amazonaws.com",
];

/// Public networks that serve packages.
const NETWORKS: [&str; 10] = [
    "cdnjs.cloudflare.com",
    "cdn.jsdelivr.net",
    "unpkg.com",
    "ajax.googleapis.com",
    "code.jquery.com",
    "maxcdn.bootstrapcdn.com",
    "stackpath.bootstrapcdn.com",
    "netdna.bootstrapcdn.com",
    "ajax.aspnetcdn.com",
    "esm.sh",
];

/// The largest page that is read, in bytes, and how many pages.
const MAX_PAGE: u64 = 2 << 20;
const MAX_PAGES: usize = 5_000;

/// Looks at every page, and at what code fetches.
pub(super) fn findings(loaded: &mut Loaded, root: &Root, files: &[Found], index: Option<&Index>) -> Vec<Finding> {
    let mut found = requests(loaded);
    let page = |path: &str| [".html", ".htm", ".xhtml"].iter().any(|end| path.to_ascii_lowercase().ends_with(end));
    for file in files.iter().filter(|file| page(&file.path) && file.size <= MAX_PAGE).take(MAX_PAGES) {
        let Some(text) = root.read(&file.path) else { continue };
        // Sources keep only pages that something is said about.
        let own = loaded.sources.next_id();
        let tags = tags(own, &text);
        let of_page: Vec<Finding> = tags.iter().flat_map(|tag| judged(tag, &file.path, index)).collect();
        if !of_page.is_empty() {
            loaded.sources.add(SourceFile::new(&file.path, text));
            found.extend(of_page);
        }
    }
    found
}

/// Connections of handlers that go out unencrypted.
fn requests(loaded: &Loaded) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for (_, function) in loaded.estate.functions() {
        for outbound in function.behaviour.iter().flat_map(|behaviour| &behaviour.hosts) {
            let Some(host) = outbound.host.as_deref().filter(|host| outbound.port == 80 && is_public(host)) else {
                continue;
            };
            if !seen.insert((outbound.span, host.to_string())) {
                continue;
            }
            let title = format!("`{}` talks to `{host}` over plain HTTP", function.name);
            let mut one = finding(&PLAINTEXT_CONNECTION, title, outbound.span, "readable and changeable on the way");
            one.severity = Severity::Low;
            one.confidence = Confidence::Medium;
            one.function = Some(function.name.clone());
            one.remediation = "use `https://`".to_string();
            found.push(one);
        }
    }
    found
}

/// Whether a host is one of the internet.
fn is_public(host: &str) -> bool {
    if let Ok(address) = host.parse::<std::net::Ipv4Addr>() {
        return !(address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified());
    }
    let inner = [".local", ".internal", ".localhost", ".test", ".lan"].iter().any(|end| host.ends_with(end));
    host.contains('.') && !inner && !host.starts_with('[')
}

/// A tag that loads something.
#[derive(Debug)]
struct Tag {
    /// Whether it is a script rather than a style.
    script: bool,
    url: String,
    integrity: bool,
    span: Span,
}

/// The tags of a page that load scripts and styles; what stands in comments is left out.
fn tags(file: FileId, text: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find('<')).map(|found| at + found) {
        let rest = text.get(open..).unwrap_or_default();
        if rest.starts_with("<!--") {
            at = rest.find("-->").map_or(text.len(), |end| open + end + 3);
            continue;
        }
        at = open + 1;
        let word_end = rest
            .get(1..)
            .and_then(|rest| rest.find(|c: char| !c.is_ascii_alphanumeric()))
            .map_or(rest.len(), |end| end + 1);
        let name = rest.get(1..word_end).unwrap_or_default().to_ascii_lowercase();
        if name != "script" && name != "link" {
            continue;
        }
        let (attributes, length) = attributes(rest.get(word_end..).unwrap_or_default());
        let end = open + word_end + length;
        at = end;
        let of = |name: &str| attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        let span = Span::new(file, open, end);
        let integrity = of("integrity").is_some_and(|value| !value.trim().is_empty());
        let relation = of("rel").unwrap_or_default().to_ascii_lowercase();
        let preloads = relation.split_whitespace().any(|word| matches!(word, "stylesheet" | "modulepreload"));
        if name == "script"
            && let Some(url) = of("src")
        {
            tags.push(Tag { script: true, url: url.trim().to_string(), integrity, span });
            // What a script element holds is no markup.
            at = text
                .get(end..)
                .and_then(|rest| rest.to_ascii_lowercase().find("</script").map(|found| end + found))
                .unwrap_or(end);
        } else if name == "link"
            && preloads
            && let Some(url) = of("href")
        {
            tags.push(Tag { script: relation.contains("modulepreload"), url: url.trim().to_string(), integrity, span });
        }
    }
    tags
}

/// The attributes of a tag, and how long it is up to its end.
fn attributes(text: &str) -> (Vec<(String, String)>, usize) {
    let bytes = text.as_bytes();
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'>' => return (all, at + 1),
            byte if byte.is_ascii_whitespace() || matches!(byte, b'/' | b'=') => at += 1,
            _ => {
                let start = at;
                while bytes.get(at).is_some_and(|b| !b.is_ascii_whitespace() && !matches!(b, b'=' | b'>')) {
                    at += 1;
                }
                let name = text.get(start..at).unwrap_or_default().to_ascii_lowercase();
                let mut value = String::new();
                let mut next = at;
                while bytes.get(next).is_some_and(u8::is_ascii_whitespace) {
                    next += 1;
                }
                if bytes.get(next) == Some(&b'=') {
                    next += 1;
                    while bytes.get(next).is_some_and(u8::is_ascii_whitespace) {
                        next += 1;
                    }
                    let quote = bytes.get(next).copied().filter(|b| matches!(b, b'"' | b'\''));
                    let from = next + usize::from(quote.is_some());
                    let length = text.get(from..).map_or(0, |rest| {
                        rest.find(|c: char| match quote {
                            Some(quote) => c == char::from(quote),
                            None => c.is_whitespace() || c == '>',
                        })
                        .unwrap_or(rest.len())
                    });
                    value = text.get(from..from + length).unwrap_or_default().to_string();
                    at = from + length + usize::from(quote.is_some());
                }
                all.push((name, value));
            }
        }
    }
    (all, text.len())
}

/// Everything that is wrong with what a tag loads.
fn judged(tag: &Tag, path: &str, index: Option<&Index>) -> Vec<Finding> {
    let mut found = Vec::new();
    let what = if tag.script { "script" } else { "style" };
    let (scheme, rest) = match tag.url.split_once("//") {
        Some((scheme, rest)) if scheme.is_empty() || scheme.ends_with(':') => (scheme.to_ascii_lowercase(), rest),
        _ => (String::new(), ""),
    };
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default().to_ascii_lowercase();
    // Names that a template engine fills in later say nothing.
    let external = !host.is_empty() && host.contains('.') && !host.contains(['{', '<', '$', '%']);
    let compromised = COMPROMISED.iter().find(|known| host == **known || host.ends_with(&format!(".{known}")));
    if external && let Some(known) = compromised {
        let title = format!("`{path}` loads a {what} from `{host}`, which served malicious code");
        let mut one = finding(&COMPROMISED_HOST, title, tag.span, format!("`{known}` is in strangers' hands"));
        one.remediation = "remove it; where it is needed, serve a copy of known origin yourself".to_string();
        return vec![one];
    }
    if external && scheme == "http:" && is_public(&host) {
        let title = format!("`{path}` loads a {what} from `{host}` over plain HTTP");
        let mut one = finding(&PLAINTEXT_CONNECTION, title, tag.span, "anyone on the way can change it");
        one.severity = if tag.script { Severity::Medium } else { Severity::Low };
        one.remediation = "use `https://`".to_string();
        found.push(one);
    }
    let changing = CHANGING.contains(&host.as_str());
    if external && is_public(&host) && !tag.integrity && !changing && (tag.script || NETWORKS.contains(&host.as_str()))
    {
        let title = format!("`{path}` takes whatever {what} `{host}` sends");
        let mut one = finding(&MISSING_INTEGRITY, title, tag.span, "no `integrity`");
        one.confidence = if NETWORKS.contains(&host.as_str()) { Confidence::High } else { Confidence::Medium };
        one.remediation = "name a fixed version with its `integrity`, or serve the file yourself".to_string();
        found.push(one);
    }
    if tag.script
        && let Some(index) = index
        && let Some((name, version)) = library(&host, &tag.url)
    {
        let package = Package {
            ecosystem: Ecosystem::Npm,
            name,
            version: Version::Exact(version),
            direct: Some(true),
            dev: false,
            requires: Vec::new(),
            span: tag.span,
        };
        if let Some(mut one) = packages::ask(&package, index) {
            one.title = format!("{}; `{path}` loads it", one.title);
            one.confidence = Confidence::Medium;
            one.remediation =
                one.remediation.replace("; `ringfence fix` shows the change", " and name it in the address");
            found.push(one);
        }
    }
    found
}

/// The package and version that an address names.
fn library(host: &str, url: &str) -> Option<(String, String)> {
    let path = url.split(['?', '#']).next()?;
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let is_version = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit())
            && text.split('.').count() >= 2
            && Ecosystem::Npm.compare(text, text).is_some()
    };
    // `name@1.2.3`, scoped or not.
    if matches!(host, "cdn.jsdelivr.net" | "unpkg.com" | "esm.sh") {
        let at = segments.iter().position(|part| part.get(1..).is_some_and(|rest| rest.contains('@')))?;
        let (name, version) = segments.get(at)?.rsplit_once('@')?;
        let scope = at.checked_sub(1).and_then(|before| segments.get(before)).filter(|part| part.starts_with('@'));
        let name = scope.map_or(name.to_string(), |scope| format!("{scope}/{name}"));
        return is_version(version).then(|| (name, version.to_string()));
    }
    // `…/libs/name/1.2.3/…`.
    let pair = segments.windows(2).find(|pair| matches!(pair, [_, version] if is_version(version)));
    if NETWORKS.contains(&host)
        && let Some([name, version]) = pair
    {
        let name = if *name == "ui" && host == "code.jquery.com" { "jquery-ui" } else { name };
        return Some((known_as(name), (*version).to_string()));
    }
    // `name-1.2.3.min.js`, on the page's own host as well.
    let file = segments.last()?.strip_suffix(".js")?;
    let (at, _) = file
        .match_indices('-')
        .find(|(at, _)| file.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())))?;
    let (name, rest) = (file.get(..at)?, file.get(at + 1..)?);
    let version: String =
        rest.split('.').take_while(|part| part.bytes().all(|byte| byte.is_ascii_digit())).collect::<Vec<_>>().join(".");
    is_version(&version).then(|| (known_as(name), version))
}

/// The name on npm of a library that networks of files call otherwise.
fn known_as(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "twitter-bootstrap" => "bootstrap".to_string(),
        "angularjs" | "angular.js" => "angular".to_string(),
        "jqueryui" => "jquery-ui".to_string(),
        other => other.strip_suffix(".js").unwrap_or(other).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(page: &str) -> Vec<String> {
        let tags = tags(FileId(0), page);
        tags.iter()
            .flat_map(|tag| judged(tag, "index.html", None))
            .map(|one| format!("{} {}", one.severity, one.id))
            .collect()
    }

    #[test]
    fn scripts_and_styles_from_elsewhere() {
        for (page, expected) in [
            ("<script src=\"https://cdn.polyfill.io/v3/polyfill.min.js\"></script>", &["high compromised-host"][..]),
            (
                "<SCRIPT async SRC='http://code.jquery.com/jquery-3.7.1.min.js'></SCRIPT>",
                &["medium plaintext-connection", "low missing-integrity"],
            ),
            ("<script src=https://unpkg.com/vue@3.4.0/dist/vue.js></script>", &["low missing-integrity"]),
            (
                "<link rel=stylesheet href=\"//cdnjs.cloudflare.com/ajax/libs/semantic-ui/2.3.1/semantic.min.css\">",
                &["low missing-integrity"],
            ),
            ("<script src=\"https://code.jquery.com/j.js\" integrity=\"sha256-x\" crossorigin></script>", &[]),
            ("<!-- <script src=\"https://cdn.polyfill.io/v3/p.js\"></script> -->", &[]),
            ("<script src=\"/js/app.js\"></script><script src=\"app.js\"></script>", &[]),
            ("<script src=\"http://localhost:3000/app.js\"></script>", &[]),
            (
                "<script src=\"https://js.stripe.com/v3/\"></script><link rel=stylesheet href=\"https://fonts.googleapis.com/css\">",
                &[],
            ),
            (
                "<script>var a = '<script src=\"https://x.y/z.js\">';</script><link rel=icon href=\"http://x.y/i.png\">",
                &["low missing-integrity"],
            ),
            ("<script src=\"{{ cdn }}/x.js\"></script><script src=\"https://{{host}}.x/y.js\"></script>", &[]),
            ("<script src=", &[]),
        ] {
            assert_eq!(said(page), expected, "{page}");
        }
    }

    #[test]
    fn an_old_library_is_known_by_its_address() {
        let mut build = deps::Build::new();
        build.document(
            "x",
            br#"{"id": "GHSA-1", "aliases": ["CVE-2015-9251"], "severity": [{"type": "CVSS_V3",
            "score": "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"}], "affected": [{"package": {"ecosystem": "npm", "name": "jquery"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0"}, {"fixed": "3.0.0"}]}]}]}"#,
        );
        let index = Index::of_bytes(build.finish().unwrap().0).unwrap();
        let ids = |page: &str| -> Vec<String> {
            let tags = tags(FileId(0), page);
            let found = tags.iter().flat_map(|tag| judged(tag, "index.html", Some(&index)));
            found.map(|one| format!("{} {}: {}", one.severity, one.id, one.title)).collect()
        };
        let old = ids("<script src=\"js/jquery-1.8.3.min.js\"></script>");
        assert!(
            matches!(old.as_slice(), [one] if one.starts_with("medium vulnerable-dependency") && one.contains("CVE-2015-9251")),
            "{old:?}"
        );
        assert!(ids("<script src=\"js/jquery-3.7.1.min.js\"></script>").is_empty());
    }

    #[test]
    fn addresses_name_packages() {
        for (url, name, version) in [
            ("https://ajax.googleapis.com/ajax/libs/jquery/1.8.3/jquery.min.js", "jquery", "1.8.3"),
            ("https://cdnjs.cloudflare.com/ajax/libs/twitter-bootstrap/3.3.7/js/bootstrap.js", "bootstrap", "3.3.7"),
            ("https://cdn.jsdelivr.net/npm/@scope/x@2.0.1/dist/x.js", "@scope/x", "2.0.1"),
            ("https://code.jquery.com/jquery-1.12.4.min.js", "jquery", "1.12.4"),
            ("https://code.jquery.com/ui/1.10.4/jquery-ui.js", "jquery-ui", "1.10.4"),
            ("js/vendor/jquery-2.1.0.min.js", "jquery", "2.1.0"),
            ("https://unpkg.com/lodash@4.17.4", "lodash", "4.17.4"),
        ] {
            let host = url.split_once("//").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
            assert_eq!(library(host, url), Some((name.to_string(), version.to_string())), "{url}");
        }
        for url in ["js/app.js", "https://unpkg.com/vue", "js/report-2024.js", "https://x.y/v1/app.js"] {
            let host = url.split_once("//").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
            assert_eq!(library(host, url), None, "{url}");
        }
    }
}
