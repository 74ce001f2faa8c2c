//! Package URLs, percent-encoded as their specification asks.

use crate::{Ecosystem, Package};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What may stand unencoded in a part: letters, digits and `.-_~`, and the colon.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~').remove(b':');

pub(crate) fn purl(package: &Package) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, KEPT).to_string();
    let mut purl = match package.ecosystem {
        Ecosystem::Npm => match package.name.split_once('/') {
            Some((scope, name)) => format!("pkg:npm/{}/{}", encoded(scope), encoded(name)),
            None => format!("pkg:npm/{}", encoded(&package.name)),
        },
        Ecosystem::PyPi => format!("pkg:pypi/{}", encoded(&package.name.to_lowercase().replace('_', "-"))),
        Ecosystem::Maven => match package.name.split_once(':') {
            Some((group, artifact)) => format!("pkg:maven/{}/{}", encoded(group), encoded(artifact)),
            None => format!("pkg:maven/{}", encoded(&package.name)),
        },
        Ecosystem::Go => {
            let path = package.name.to_lowercase();
            format!("pkg:golang/{}", path.split('/').map(encoded).collect::<Vec<_>>().join("/"))
        }
        Ecosystem::NuGet => format!("pkg:nuget/{}", encoded(&package.name)),
        Ecosystem::CratesIo => format!("pkg:cargo/{}", encoded(&package.name)),
    };
    if let Some(version) = package.version.exact() {
        purl.push('@');
        let version = if package.ecosystem == Ecosystem::Go { version.trim_start_matches("go") } else { version };
        purl.push_str(&encoded(version));
    }
    purl
}

#[cfg(test)]
mod tests {
    use crate::{Ecosystem, Package, Version};
    use source::{FileId, Span};

    #[test]
    fn names_and_versions_are_encoded() {
        let purl = |ecosystem, name: &str, version: &str| {
            let version = Version::Exact(version.to_string());
            let span = Span::new(FileId(0), 0, 0);
            let (direct, dev, requires) = (None, false, Vec::new());
            Package { ecosystem, name: name.to_string(), version, direct, dev, requires, span }.purl()
        };
        assert_eq!(purl(Ecosystem::Npm, "@aws-sdk/client-s3", "3.1.0"), "pkg:npm/%40aws-sdk/client-s3@3.1.0");
        assert_eq!(purl(Ecosystem::Npm, "lodash", "4.17.21-rc.1+b"), "pkg:npm/lodash@4.17.21-rc.1%2Bb");
        assert_eq!(purl(Ecosystem::PyPi, "Flask_Login", "1!2.0+cu"), "pkg:pypi/flask-login@1%212.0%2Bcu");
        assert_eq!(purl(Ecosystem::Maven, "org.x:core", "2.0"), "pkg:maven/org.x/core@2.0");
        assert_eq!(purl(Ecosystem::Go, "example.com/Some/mod", "v1.2.0"), "pkg:golang/example.com/some/mod@v1.2.0");
        assert_eq!(purl(Ecosystem::PyPi, "zope.interface", "5.0"), "pkg:pypi/zope.interface@5.0");
    }
}
