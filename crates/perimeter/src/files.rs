//! Files, programs, TCP ports and signals, held by Landlock.

use crate::plan::{Aspect, Held, Plan, Programs};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, make_bitflags,
};
use std::path::Path;

/// Rights that are known and asked for; what a kernel doesn't have of them is seen in [`Kernel`].
const KNOWN: ABI = ABI::V6;
/// Devices that are no place to keep anything in.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Which parts of Landlock the kernel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kernel {
    execute: bool,
    truncate: bool,
    tcp: bool,
    scopes: bool,
}

impl Kernel {
    fn ask() -> Self {
        let strict = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        Self {
            execute: strict().handle_access(AccessFs::Execute).is_ok(),
            truncate: strict().handle_access(AccessFs::from_write(ABI::V3)).is_ok(),
            tcp: strict().handle_access(AccessNet::from_all(ABI::V4)).is_ok(),
            scopes: strict().scope(Scope::from_all(ABI::V6)).is_ok(),
        }
    }
}

/// Puts the plan's files, programs, ports and scopes on the calling thread and notes what is held.
pub(crate) fn hold(plan: &Plan, held: &mut Held) {
    let kernel = Kernel::ask();
    let restricted = match restrict(plan, held) {
        Ok(RulesetStatus::NotEnforced) => Err("the kernel has no Landlock (5.13 or later, and enabled)".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => Err(format!("Landlock: {}", chain(&error))),
    };
    let since = |has: bool, version: &str| match (&restricted, has) {
        (Err(why), _) => Err(why.clone()),
        (Ok(()), true) => Ok(()),
        (Ok(()), false) => Err(format!("Landlock of a kernel before {version}")),
    };
    held.note(Aspect::Files, since(kernel.truncate, "6.2, which lets files be cut short"));
    match &plan.programs {
        Programs::Any => {}
        Programs::Untold(why) => held.note(Aspect::Programs, Err(why.clone())),
        // By system calls; what is here comes on top.
        Programs::OnlyItself { .. } => {}
        Programs::Listed { .. } => {
            held.note(Aspect::Programs, since(kernel.execute, "5.13"));
            let why = "the loader of a program that may be started runs any file that can be read";
            held.note(Aspect::Loader, Err(why.into()));
        }
    }
    held.note(Aspect::TcpPorts, since(kernel.tcp, "6.7"));
    held.note(Aspect::Signals, since(kernel.scopes, "6.12"));
}

fn restrict(plan: &Plan, held: &mut Held) -> Result<RulesetStatus, RulesetError> {
    let writing = AccessFs::from_write(KNOWN);
    // No device files: they would be ways around the folders.
    let granted = writing & !make_bitflags!(AccessFs::{MakeChar | MakeBlock | IoctlDev});
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(writing)?
        .handle_access(AccessNet::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?;
    let executed = match &plan.programs {
        Programs::OnlyItself { files } | Programs::Listed { files } => {
            ruleset = ruleset.handle_access(AccessFs::Execute)?;
            files.as_slice()
        }
        Programs::Any | Programs::Untold(_) => &[],
    };
    let mut ruleset = ruleset.create()?;
    for path in &plan.write {
        let rights = if path.is_dir() { granted } else { granted & AccessFs::from_file(KNOWN) };
        ruleset = below(ruleset, path, rights, held)?;
    }
    for device in DEVICES {
        let rights = make_bitflags!(AccessFs::{WriteFile | Truncate | IoctlDev});
        ruleset = below(ruleset, Path::new(device), rights, &mut Held::default())?;
    }
    for file in executed {
        ruleset = below(ruleset, file, AccessFs::Execute.into(), held)?;
    }
    for port in &plan.ports {
        ruleset = ruleset.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    Ok(ruleset.restrict_self()?.ruleset)
}

fn below(
    ruleset: RulesetCreated,
    path: &Path,
    rights: BitFlags<AccessFs>,
    held: &mut Held,
) -> Result<RulesetCreated, RulesetError> {
    match PathFd::new(path) {
        Ok(file) => ruleset.add_rule(PathBeneath::new(file, rights)),
        // What isn't there can't be opened up; it stays closed.
        Err(_) => {
            held.notes
                .push(format!("`{}` isn't there when the function starts, so it stays closed to it", path.display()));
            Ok(ruleset)
        }
    }
}

/// An error with its reasons: the outermost alone says little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    for _ in 0..8 {
        let Some(cause) = source else { break };
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// What restricting a thread to nothing new gives: Landlock's version, 0 where it isn't there.
pub(crate) fn abi() -> Result<i32, String> {
    let tried = std::thread::spawn(|| {
        let ruleset = Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(AccessFs::MakeBlock);
        ruleset.and_then(Ruleset::create).and_then(RulesetCreated::restrict_self).map_err(|error| chain(&error))
    });
    let status = tried.join().map_err(|_| "the trial didn't end".to_owned())??;
    Ok(match status.landlock {
        landlock::LandlockStatus::Available { effective_abi, kernel_abi } => kernel_abi.unwrap_or(effective_abi as i32),
        landlock::LandlockStatus::NotEnabled | landlock::LandlockStatus::NotImplemented => 0,
    })
}
