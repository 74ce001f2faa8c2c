//! The readers of manifests and lockfiles: one sibling per format, told apart by file name.
//!
//! Each takes text and gives packages with their places. A broken file gives what can be read of it and says what is missing.

mod bun_lock;
mod cargo;
mod go_mod;
mod gradle;
mod installed_python;
mod nuget;
mod package_json;
mod package_lock;
mod pipfile;
mod pipfile_lock;
mod pnpm_lock;
mod poetry_lock;
mod pom;
mod pyproject;
mod requirement;
mod requirements;
mod setup;
mod toml_document;
mod uv_lock;
mod xml_document;
mod yarn_lock;

use crate::{Ecosystem, MAX_PACKAGES, Package, Reading, Version};
use findings::{Diagnostic, Level};
use source::{Complaint, Document, FileId, Node, Sources, Span};

/// The name under which readers speak.
pub(crate) const READER: &str = "deps";

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3.
    PackageLock,
    /// `yarn.lock`, classic and berry.
    YarnLock,
    /// `pnpm-lock.yaml`, versions 5 to 9.
    PnpmLock,
    /// `package.json`: what is asked for, where no lockfile says what is installed.
    PackageJson,
    /// `Pipfile.lock`.
    PipfileLock,
    /// `poetry.lock`.
    PoetryLock,
    /// `uv.lock`.
    UvLock,
    /// `requirements.txt` and its kin.
    Requirements,
    /// `pyproject.toml`: what is asked for, as PEP 621 or Poetry writes it.
    PyProject,
    /// `Pipfile`: what is asked for.
    Pipfile,
    /// `setup.cfg`: what is asked for.
    SetupCfg,
    /// `setup.py`: what is asked for, as far as it is a list of literals.
    SetupPy,
    /// `METADATA` or `PKG-INFO` of a Python package that lies in the source as it was installed.
    InstalledPython,
    /// `bun.lock`.
    BunLock,
    /// `go.mod`.
    GoMod,
    /// `pom.xml`: what is asked for.
    Pom,
    /// `gradle.lockfile`.
    GradleLock,
    /// `libs.versions.toml`, Gradle's version catalog.
    GradleCatalog,
    /// `build.gradle` and `build.gradle.kts`: what is asked for, as far as it stands there in plain words.
    GradleScript,
    /// `packages.lock.json`.
    NuGetLock,
    /// Project files of .NET and `packages.config`: what is asked for.
    NuGetProject,
    /// `Cargo.lock`.
    CargoLock,
    /// `Cargo.toml`: what is asked for.
    CargoManifest,
}

impl Format {
    /// The format of a file by its name; none for files that are no business of this crate.
    pub fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        Some(match name {
            "package-lock.json" | "npm-shrinkwrap.json" => Self::PackageLock,
            "yarn.lock" => Self::YarnLock,
            "pnpm-lock.yaml" => Self::PnpmLock,
            "package.json" => Self::PackageJson,
            "Pipfile.lock" => Self::PipfileLock,
            "poetry.lock" => Self::PoetryLock,
            "uv.lock" => Self::UvLock,
            "pyproject.toml" => Self::PyProject,
            "Pipfile" => Self::Pipfile,
            "setup.cfg" => Self::SetupCfg,
            "setup.py" => Self::SetupPy,
            "bun.lock" => Self::BunLock,
            "go.mod" => Self::GoMod,
            "pom.xml" => Self::Pom,
            "gradle.lockfile" => Self::GradleLock,
            "libs.versions.toml" => Self::GradleCatalog,
            "build.gradle" | "build.gradle.kts" => Self::GradleScript,
            "packages.lock.json" => Self::NuGetLock,
            "packages.config" => Self::NuGetProject,
            "Cargo.lock" => Self::CargoLock,
            "Cargo.toml" => Self::CargoManifest,
            "METADATA" if path.ends_with(".dist-info/METADATA") => Self::InstalledPython,
            "PKG-INFO" if path.ends_with(".egg-info/PKG-INFO") => Self::InstalledPython,
            _ if [".csproj", ".fsproj", ".vbproj"].iter().any(|end| name.ends_with(end)) => Self::NuGetProject,
            _ if name.ends_with(".txt") && name.contains("requirements") => Self::Requirements,
            _ => return None,
        })
    }

    /// Whose packages it names.
    pub fn ecosystem(self) -> Ecosystem {
        match self {
            Self::PackageLock | Self::YarnLock | Self::PnpmLock | Self::PackageJson | Self::BunLock => Ecosystem::Npm,
            Self::PipfileLock | Self::PoetryLock | Self::UvLock | Self::Requirements | Self::PyProject => {
                Ecosystem::PyPi
            }
            Self::Pipfile | Self::SetupCfg | Self::SetupPy | Self::InstalledPython => Ecosystem::PyPi,
            Self::GoMod => Ecosystem::Go,
            Self::Pom | Self::GradleLock | Self::GradleCatalog | Self::GradleScript => Ecosystem::Maven,
            Self::NuGetLock | Self::NuGetProject => Ecosystem::NuGet,
            Self::CargoLock | Self::CargoManifest => Ecosystem::CratesIo,
        }
    }

    /// Whether it says which versions are installed rather than which are asked for.
    pub fn is_lock(self) -> bool {
        match self {
            Self::PackageJson
            | Self::PyProject
            | Self::Requirements
            | Self::Pipfile
            | Self::SetupCfg
            | Self::SetupPy => false,
            Self::Pom | Self::GradleCatalog | Self::GradleScript | Self::NuGetProject | Self::CargoManifest => false,
            Self::InstalledPython
            | Self::PackageLock
            | Self::YarnLock
            | Self::PnpmLock
            | Self::BunLock
            | Self::PipfileLock => true,
            Self::PoetryLock | Self::UvLock | Self::GoMod | Self::GradleLock | Self::NuGetLock | Self::CargoLock => {
                true
            }
        }
    }
}

/// Reads a manifest or lockfile that `sources` holds. `load` gives the text of other files by path, for includes and for
/// the manifest beside a lockfile; none where there is no such file.
///
/// None where the file's name says that it isn't one.
pub fn read(sources: &mut Sources, file: FileId, load: &mut dyn FnMut(&str) -> Option<String>) -> Option<Reading> {
    let (path, text) = sources.get(file).map(|source| (source.path().to_string(), source.text().to_string()))?;
    let format = Format::of(&path)?;
    let mut input = Input { file, path: &path, text: &text, load, reading: Reading::default() };
    match format {
        Format::PackageLock => package_lock::read(&mut input),
        Format::YarnLock => yarn_lock::read(&mut input),
        Format::PnpmLock => pnpm_lock::read(&mut input),
        Format::PackageJson => package_json::read(&mut input),
        Format::PipfileLock => pipfile_lock::read(&mut input),
        Format::PoetryLock => poetry_lock::read(&mut input),
        Format::UvLock => uv_lock::read(&mut input),
        Format::PyProject => pyproject::read(&mut input),
        Format::Pipfile => pipfile::read(&mut input),
        Format::SetupCfg => setup::configuration(&mut input),
        Format::SetupPy => setup::script(&mut input),
        Format::BunLock => bun_lock::read(&mut input),
        Format::InstalledPython => installed_python::read(&mut input),
        Format::GoMod => go_mod::read(&mut input),
        Format::Pom => pom::read(&mut input),
        Format::GradleLock => gradle::lockfile(&mut input),
        Format::GradleCatalog => gradle::catalog(&mut input),
        Format::GradleScript => gradle::script(&mut input),
        Format::NuGetLock => nuget::lockfile(&mut input),
        Format::NuGetProject => nuget::project(&mut input),
        Format::CargoLock => cargo::lockfile(&mut input),
        Format::CargoManifest => cargo::manifest(&mut input),
        Format::Requirements => return Some(requirements::read(sources, file, load)),
    }
    Some(input.reading)
}

/// What a reader works on.
struct Input<'a> {
    file: FileId,
    path: &'a str,
    text: &'a str,
    load: &'a mut dyn FnMut(&str) -> Option<String>,
    reading: Reading,
}

impl Input<'_> {
    /// The file of a name in the same folder.
    fn beside(&mut self, name: &str) -> Option<String> {
        (self.load)(&in_folder_of(self.path, name))
    }

    /// The document's root, what is wrong with it noted.
    fn document(&mut self, document: Document) -> Node {
        let complaints = document.complaints.into_iter();
        self.reading.diagnostics.extend(complaints.map(|one| Diagnostic::from_complaint(READER, one)));
        document.root
    }

    fn json(&mut self) -> Node {
        self.document(Document::json(self.file, self.text))
    }

    fn yaml(&mut self) -> Node {
        self.document(Document::yaml(self.file, self.text))
    }

    fn toml(&mut self) -> Node {
        self.document(toml_document::read(self.file, self.text))
    }

    /// Adds a package, within the limit.
    fn push(&mut self, package: Package) {
        if self.reading.packages.len() < MAX_PACKAGES {
            self.reading.packages.push(package);
        } else if self.reading.packages.len() == MAX_PACKAGES
            && !self.reading.diagnostics.iter().any(|one| one.message.starts_with("more than"))
        {
            let message = format!("more than {MAX_PACKAGES} packages; the rest is left out");
            self.reading.diagnostics.push(Diagnostic::at(Level::Warning, READER, package.span, message));
        }
    }

    fn note(&mut self, span: Span, message: impl Into<String>) {
        self.reading.diagnostics.push(Diagnostic::at(Level::Note, READER, span, message));
    }

    fn warn(&mut self, span: Span, message: impl Into<String>) {
        self.reading.diagnostics.push(Diagnostic::at(Level::Warning, READER, span, message));
    }

    /// The span of the first bytes, for what concerns the whole file.
    fn start(&self) -> Span {
        Span::new(self.file, 0, 0)
    }
}

/// A path beside another one, `..` resolved; the result never climbs above the root that paths are relative to.
pub(crate) fn in_folder_of(path: &str, name: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// An exact version of a lockfile, or none where it names an address or a folder instead.
fn locked(ecosystem: Ecosystem, text: &str) -> Option<Version> {
    ecosystem.compare(text, text).map(|_| Version::Exact(text.to_string()))
}

/// What a manifest asks for: exact where the range is nothing but one version.
fn asked(ecosystem: Ecosystem, text: &str) -> Version {
    let bare = text.trim().trim_start_matches('=').trim();
    let reads = |text: &str| ecosystem.compare(text, text).is_some();
    let three = || bare.split(['-', '+']).next().is_some_and(|numbers| numbers.split('.').count() == 3);
    let one = match ecosystem {
        // In npm a missing part is a wildcard.
        Ecosystem::Npm => three() && reads(bare),
        Ecosystem::PyPi => text.trim().starts_with("==") && !bare.contains([',', '*']) && reads(bare),
        Ecosystem::CratesIo => text.trim().starts_with('=') && three() && reads(bare),
        // What is named is taken unless something else asks for more.
        Ecosystem::Go | Ecosystem::Maven => {
            reads(bare) && !matches!(bare, "LATEST" | "RELEASE") && !bare.ends_with('+')
        }
        Ecosystem::NuGet => {
            let inner = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::trim);
            if let Some(inner) = inner.filter(|inner| !inner.contains(',') && reads(inner)) {
                return Version::Exact(inner.to_string());
            }
            reads(bare)
        }
    };
    if one { Version::Exact(bare.to_string()) } else { Version::Range(text.trim().to_string()) }
}

/// The names that a mapping's keys are.
fn keys(node: Option<&Node>) -> Vec<String> {
    node.map(|node| node.entries().iter().map(|entry| entry.key.clone()).collect()).unwrap_or_default()
}

/// A complaint without a hint.
fn complaint(span: Span, message: String) -> Complaint {
    Complaint { span, message, help: None }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Reading a handful of files from memory.

    use super::*;
    use source::SourceFile;

    /// Reads the first of `files`; the others can be loaded.
    pub(crate) fn read_files(files: &[(&str, &str)]) -> (Sources, Reading) {
        let mut sources = Sources::new();
        let file = sources.add(SourceFile::new(files[0].0, files[0].1));
        let mut load = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_string());
        let reading = read(&mut sources, file, &mut load).unwrap();
        (sources, reading)
    }

    /// The packages as lines: `name version direct|indirect|? [dev] :line`.
    pub(crate) fn lines(files: &[(&str, &str)]) -> Vec<String> {
        let (sources, reading) = read_files(files);
        let line = |package: &Package| {
            let version = match &package.version {
                Version::Exact(text) => text.clone(),
                Version::Range(text) => format!("[{text}]"),
            };
            let direct = match package.direct {
                Some(true) => "direct",
                Some(false) => "indirect",
                None => "?",
            };
            let dev = if package.dev { " dev" } else { "" };
            format!("{} {version} {direct}{dev} :{}", package.name, sources.position(package.span).line)
        };
        reading.packages.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_name() {
        assert_eq!(Format::of("a/b/package-lock.json"), Some(Format::PackageLock));
        assert_eq!(Format::of("requirements-dev.txt"), Some(Format::Requirements));
        assert_eq!(Format::of("dev-requirements.txt"), Some(Format::Requirements));
        assert_eq!(Format::of("src/readme.txt"), None);
        assert_eq!(Format::of("my-package.json"), None);
    }

    #[test]
    fn a_path_beside_another_never_leaves_the_root() {
        assert_eq!(in_folder_of("a/b/x.txt", "../base.txt"), "a/base.txt");
        assert_eq!(in_folder_of("x.txt", "../../../etc/passwd"), "etc/passwd");
        assert_eq!(in_folder_of("x.txt", "./y.txt"), "y.txt");
    }

    #[test]
    fn broken_files_end_in_a_complaint_and_never_in_a_panic() {
        let shapes = [
            "",
            "{",
            "[",
            "{\"packages\": [1, {\"a\"",
            "a: [",
            "[[package]]\nname =",
            "\u{0}\u{1}",
            "- - -",
            "null",
            "\"",
            "[package",
            "lockfileVersion: '9.0'\npackages:\n  '/@': {}\n  '@': 3\n",
            "@@@:\n  version",
            "__metadata:\n  version: 8\n",
            "-r",
            "-r \\",
            "a @ ",
            "===",
            "[]==",
            "{\"packages\": {\"node_modules/\": {}}}",
        ];
        let names = [
            "package-lock.json",
            "yarn.lock",
            "pnpm-lock.yaml",
            "package.json",
            "Pipfile.lock",
            "poetry.lock",
            "uv.lock",
            "requirements.txt",
            "pyproject.toml",
            "Pipfile",
            "setup.cfg",
            "setup.py",
            "bun.lock",
            "go.mod",
            "pom.xml",
            "gradle.lockfile",
            "libs.versions.toml",
            "build.gradle",
            "packages.lock.json",
            "a.csproj",
            "Cargo.lock",
            "Cargo.toml",
        ];
        for name in names {
            for shape in shapes {
                let (_, reading) = testing::read_files(&[(name, shape)]);
                assert!(reading.packages.len() < 3, "{name} {shape:?}");
            }
        }
    }

    #[test]
    fn text_cut_anywhere_is_read_without_a_panic() {
        let lock = "{\"lockfileVersion\": 3, \"packages\": {\"node_modules/ä\": {\"version\": \"1.0.0\"}}}";
        let toml = "[[package]]\nname = \"ä\"\nversion = \"1.0\"\n[package.dependencies]\nb = \"*\"\n";
        let yarn = "\"ä@^1.0\", b@1:\n  version \"1.0.0\"\n  dependencies:\n    c \"^1\"\n";
        let requirements = "ä[x]>=1.0 ; python_version < '3' # hm\n-r other.txt \\\n  --hash=sha256:0\n";
        for (name, text) in [
            ("package-lock.json", lock),
            ("uv.lock", toml),
            ("poetry.lock", toml),
            ("yarn.lock", yarn),
            ("requirements.txt", requirements),
            (
                "pom.xml",
                "<project><dependencies><dependency><groupId>g</groupId><artifactId>ä</artifactId><version>1</version></dependency></dependencies></project>",
            ),
            ("a.csproj", "<Project><ItemGroup><PackageReference Include='ä' Version='1.0' /></ItemGroup></Project>"),
            ("go.mod", "module x\nrequire (\n\tä.b/c v1.0.0 // indirect\n)\nreplace a => ../b\n"),
            ("build.gradle", "def v = '1'\ndependencies {\n implementation \"ä:b:$v\"\n}"),
            ("setup.py", "setup(install_requires=['ä==1', \"b\"])"),
            ("setup.cfg", "[options]\ninstall_requires = a\n  ä>=1\n"),
            ("bun.lock", "{\"packages\": {\"ä\": [\"ä@1.0.0\", \"\", {}]}}"),
            ("pnpm-lock.yaml", "packages:\n  /ä@1.0.0(b@2):\n    dev: true\n"),
        ] {
            for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
                let (_, reading) = testing::read_files(&[(name, &text[..end])]);
                assert!(reading.packages.len() <= 2);
            }
        }
    }
}
