//! Whether the code that a handler reaches imports a package, by itself or through another one.
//!
//! In npm a module's name is its package's. In Python the two are chosen apart: most are spelled alike, the well-known
//! exceptions are listed here, and where an import is left that no package explains, nothing is ruled out.

use crate::{Ecosystem, Package};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What the code has to do with a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// Reachable code imports it.
    Directly,
    /// Reachable code imports the package of this name, which needs it according to the lockfile.
    Through(String),
    /// Reachable code imports neither it nor, as far as the lockfile tells, anything that needs it.
    No,
    /// Can't be told.
    Unknown,
}

impl Imported {
    /// The lower-case word used in every output.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Directly => "yes",
            Self::Through(_) => "through",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// Modules that aren't called like the distribution on PyPI that brings them: module, then distributions.
/// Each as the distribution's own documentation tells to import it.
const MODULES: &str = "\
attr attrs
bs4 beautifulsoup4
cairo pycairo
crypto pycryptodome pycrypto
cryptodome pycryptodomex
cv2 opencv-python opencv-python-headless opencv-contrib-python
dateutil python-dateutil
dns dnspython
docx python-docx
dotenv python-dotenv
fitz pymupdf
flask-cors flask-cors
git gitpython
github pygithub
jose python-jose
jwt pyjwt
ldap python-ldap
magic python-magic
memcache python-memcached
multipart python-multipart
mysqldb mysqlclient
nacl pynacl
openssl pyopenssl
osgeo gdal
pil pillow
pkg-resources setuptools
pptx python-pptx
psycopg psycopg psycopg-binary
psycopg2 psycopg2 psycopg2-binary
pymysql pymysql
rest-framework djangorestframework
ruamel ruamel-yaml
saml2 pysaml2
serial pyserial
skimage scikit-image
sklearn scikit-learn
slugify python-slugify
snowflake snowflake-connector-python
socks pysocks
sqlalchemy sqlalchemy
telegram python-telegram-bot
usb pyusb
websocket websocket-client
yaml pyyaml
zmq pyzmq
";

/// Modules that many distributions share: importing one says nothing of which.
const SHARED: [&str; 5] = ["google", "azure", "zope", "backports", "opentelemetry"];

/// Distributions that AWS's Python runtime brings along.
const IN_RUNTIME: [&str; 6] = ["boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil"];

/// The imports of one function, ready to be asked about packages.
#[derive(Debug)]
pub struct Reach {
    /// Keys of packages that are needed, by way of which imported package (empty for the imported ones themselves).
    reached: BTreeMap<String, String>,
    /// Whether every import was explained by a package; without that nothing is ruled out.
    explained: bool,
    known: bool,
}

impl Reach {
    /// Sets the imports of a function (`graph::Behaviour::imports`; none where its code wasn't read) against the packages
    /// that its manifests bring along.
    pub fn new(ecosystem: Ecosystem, packages: &[Package], imports: Option<&[String]>) -> Self {
        let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for package in packages.iter().filter(|package| package.ecosystem == ecosystem) {
            let list = needs.entry(package.key()).or_default();
            list.extend(package.requires.iter().map(|name| ecosystem.key(name)));
        }
        let mut reached = BTreeMap::new();
        let mut explained = true;
        let mut queue = VecDeque::new();
        for import in imports.unwrap_or_default() {
            let named = distributions(ecosystem, import);
            let brought: Vec<&String> = named.iter().filter(|name| needs.contains_key(*name)).collect();
            let by_runtime = ecosystem == Ecosystem::PyPi && IN_RUNTIME.contains(&import.as_str());
            explained &= !brought.is_empty() || by_runtime || ecosystem == Ecosystem::Npm;
            for name in brought {
                reached.insert(name.clone(), String::new());
                queue.push_back((name.clone(), name.clone()));
            }
        }
        while let Some((name, through)) = queue.pop_front() {
            for need in needs.get(&name).into_iter().flatten() {
                if !reached.contains_key(need) {
                    reached.insert(need.clone(), through.clone());
                    queue.push_back((need.clone(), through.clone()));
                }
            }
        }
        // A manifest or a lockfile without needs can't tell what an imported package needs in turn.
        let tells_needs = needs.values().any(|list| !list.is_empty());
        let all_direct = packages.iter().all(|package| package.direct == Some(true));
        Self { reached, explained: explained && (tells_needs || all_direct), known: imports.is_some() }
    }

    /// What the code has to do with a package.
    pub fn of(&self, package: &Package) -> Imported {
        match self.reached.get(&package.key()) {
            Some(through) if through.is_empty() => Imported::Directly,
            Some(through) => Imported::Through(through.clone()),
            None if self.known && self.explained => Imported::No,
            None => Imported::Unknown,
        }
    }
}

/// Keys of the packages that a module may come from; none where its name is shared by many.
fn distributions(ecosystem: Ecosystem, module: &str) -> Vec<String> {
    match ecosystem {
        Ecosystem::Npm => {
            let parts = if module.starts_with('@') { 2 } else { 1 };
            vec![module.split('/').take(parts).collect::<Vec<_>>().join("/")]
        }
        Ecosystem::PyPi => {
            let root = ecosystem.key(module.split('.').next().unwrap_or(module));
            if SHARED.contains(&root.as_str()) {
                return Vec::new();
            }
            let listed = MODULES.lines().map(|line| line.split(' ')).find_map(|mut words| {
                (words.next() == Some(root.as_str())).then(|| words.map(str::to_string).collect::<Vec<_>>())
            });
            let mut all = listed.unwrap_or_default();
            all.push(root);
            all
        }
        // The code of these isn't read, so there are no imports to ask about.
        Ecosystem::Go | Ecosystem::Maven | Ecosystem::NuGet | Ecosystem::CratesIo => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Version;
    use source::{FileId, Span};

    fn package(ecosystem: Ecosystem, name: &str, requires: &[&str]) -> Package {
        Package {
            ecosystem,
            name: name.to_string(),
            version: Version::Exact("1.0.0".to_string()),
            direct: Some(true),
            dev: false,
            requires: requires.iter().map(|name| (*name).to_string()).collect(),
            span: Span::new(FileId(0), 0, 0),
        }
    }

    fn told(ecosystem: Ecosystem, packages: &[Package], imports: &[&str]) -> Vec<String> {
        let imports: Vec<String> = imports.iter().map(|name| (*name).to_string()).collect();
        let reach = Reach::new(ecosystem, packages, Some(&imports));
        packages
            .iter()
            .map(|package| match reach.of(package) {
                Imported::Through(name) => format!("through {name}"),
                other => other.name().to_string(),
            })
            .collect()
    }

    #[test]
    fn javascript_modules_are_called_like_their_packages() {
        let packages = [("@s/a", &["c"][..]), ("b", &[]), ("c", &["d"]), ("d", &["c"]), ("e", &[])]
            .map(|(name, requires)| package(Ecosystem::Npm, name, requires));
        assert_eq!(
            told(Ecosystem::Npm, &packages, &["@s/a/lib/x", "aws-sdk"]),
            ["yes", "no", "through @s/a", "through @s/a", "no"]
        );
        assert_eq!(Reach::new(Ecosystem::Npm, &packages, None).of(&packages[0]), Imported::Unknown);
    }

    #[test]
    fn python_modules_are_looked_up_and_a_stranger_rules_nothing_out() {
        let packages = [("PyYAML", &[][..]), ("requests", &["urllib3"]), ("urllib3", &[]), ("Flask_Login", &[])]
            .map(|(name, requires)| package(Ecosystem::PyPi, name, requires));
        assert_eq!(
            told(Ecosystem::PyPi, &packages, &["yaml", "requests", "boto3"]),
            ["yes", "yes", "through requests", "no"]
        );
        assert_eq!(
            told(Ecosystem::PyPi, &packages, &["flask_login", "google"]),
            ["unknown", "unknown", "unknown", "yes"]
        );
    }

    #[test]
    fn a_list_without_needs_rules_nothing_out() {
        let mut packages = [package(Ecosystem::PyPi, "requests", &[]), package(Ecosystem::PyPi, "urllib3", &[])];
        packages.iter_mut().for_each(|package| package.direct = None);
        assert_eq!(told(Ecosystem::PyPi, &packages, &["requests"]), ["yes", "unknown"]);
    }
}
