//! Programs and libraries in machine code that lie beside a function's source: no lockfile tells where they come from.

use super::{finding, head};
use crate::files::{Found, Root};
use crate::load::Loaded;
use findings::{AuditInfo, Confidence, Finding, Severity};
use graph::Code;
use std::collections::BTreeMap;

pub(crate) const UNCHECKED_BINARY: AuditInfo = AuditInfo {
    id: "unchecked-binary",
    title: "A bundled program that no advisory here speaks of",
    severity: Severity::Info,
    since: "0.1.0",
    cwe: &[1395],
    docs: r#"A folder of a function's code, or of a layer it uses, holds programs or libraries in machine code (ELF files). They are
listed with their sizes, and with the version of some widespread ones where the file itself names it.

## Why it matters
No lockfile says which version they are or where they come from, so no advisory is ever set against them: an old image or
document converter stays exploitable unnoticed.

## Remediation
Bring them in through a package manager, or write down their origin, version and checksum, and rebuild them when they change.

```text
layers/convert/VERSIONS: ImageMagick 7.1.1-39, sha256 ...
```

## When it doesn't fire
Not for the function's own program (`bootstrap`), and not for what package managers install (`node_modules`, virtual
environments), which isn't part of the source.
"#,
};

/// The largest file that is searched for a version, in bytes, and how many files of one function are looked into.
const MAX_SEARCHED: u64 = 64 << 20;
const MAX_FILES: usize = 200;

/// What widespread programs say of themselves: what stands before the version, and their name.
const MARKERS: [(&str, &str); 6] = [
    ("OpenSSL 1.", "OpenSSL"),
    ("OpenSSL 3.", "OpenSSL"),
    ("ImageMagick ", "ImageMagick"),
    ("ffmpeg version ", "FFmpeg"),
    ("wkhtmltopdf ", "wkhtmltopdf"),
    ("Ghostscript ", "Ghostscript"),
];

/// Looks through the folders of every function's code.
pub(super) fn findings(loaded: &Loaded, root: &Root, files: &[Found]) -> Vec<Finding> {
    // Without a name that says otherwise: libraries, programs, and files without an extension.
    let candidates: Vec<&Found> = files
        .iter()
        .filter(|found| {
            let name = found.path.rsplit('/').next().unwrap_or(&found.path);
            let plain =
                !name.contains('.') || name.contains(".so") || name.ends_with(".bin") || name.ends_with(".node");
            plain && found.size > 4096 && name != "bootstrap"
        })
        .collect();
    let mut found = Vec::new();
    // Functions often share their code: each file is looked into once.
    let mut known: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for (_, function) in loaded.estate.functions() {
        let Code::Local(folder) = &function.code else { continue };
        // They are in order, so those of a folder stand together.
        let prefix = match folder.value.trim_start_matches("./").trim_end_matches('/') {
            "" | "." => String::new(),
            folder => format!("{folder}/"),
        };
        let first = candidates.partition_point(|one| one.path < prefix);
        let rest = candidates.iter().skip(first).take_while(|one| one.path.starts_with(&prefix));
        let own: Vec<&&Found> = rest.take(MAX_FILES).collect();
        let mut named: Vec<String> = Vec::new();
        for one in own {
            named.extend(known.entry(&one.path).or_insert_with(|| described(root, one)).clone());
        }
        let Some(first) = named.first() else { continue };
        let title = match named.len() {
            1 => format!("`{}` bundles {first}, of which no advisory here speaks", function.name),
            count => format!(
                "`{}` bundles {count} programs of which no advisory here speaks, such as {first}",
                function.name
            ),
        };
        let mut one = finding(
            &UNCHECKED_BINARY,
            title,
            head(&loaded.sources, function.span),
            named.iter().take(8).cloned().collect::<Vec<_>>().join(", "),
        );
        one.function = Some(function.name.clone());
        one.confidence = Confidence::Medium;
        one.remediation =
            "bring them in through a package manager, or write down origin, version and checksum of each".to_string();
        found.push(one);
    }
    found
}

/// A program with its size and, where it tells, its version; none where the file is no program.
fn described(root: &Root, found: &Found) -> Option<String> {
    root.head(&found.path, 4).filter(|head| head == "\u{7f}ELF")?;
    let version = (found.size <= MAX_SEARCHED).then(|| version(root, found)).flatten();
    let version = version.map(|version| format!(", {version}")).unwrap_or_default();
    Some(format!("`{}` ({}{version})", found.path, size(found.size)))
}

fn version(root: &Root, found: &Found) -> Option<String> {
    let bytes = std::fs::read(root.resolve(&found.path)?).ok()?;
    MARKERS.iter().find_map(|(marker, name)| {
        let at = bytes.windows(marker.len()).position(|window| window == marker.as_bytes())?;
        let from = at + marker.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let version: String = bytes
            .get(from..)?
            .iter()
            .take(24)
            .map(|byte| char::from(*byte))
            .take_while(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-'))
            .collect();
        version.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("{name} {version}"))
    })
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
