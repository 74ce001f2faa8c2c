//! System calls that no function needs, refused by a seccomp filter.
//!
//! The table below is a list of refusals, not of permissions: a runtime that is updated must not die of a call nobody thought of.
//! What is in it gives a process more than its own work: other processes, other namespaces, other kinds of sockets, the kernel.

use crate::plan::{Plan, Programs};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Width, SeccompCmpOp as Is, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, sock_filter,
};
use std::collections::BTreeMap;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;
type Outcome<T> = Result<T, seccompiler::BackendError>;

/// Numbers that are the same on every architecture, and that C libraries may not name yet.
mod recent {
    pub(super) const PIDFD_SEND_SIGNAL: i64 = 424;
    pub(super) const IO_URING: [i64; 3] = [425, 426, 427];
    /// `open_tree`, `move_mount`, `fsopen`, `fsconfig`, `fsmount`, `fspick`.
    pub(super) const MOUNTS: [i64; 6] = [428, 429, 430, 431, 432, 433];
    pub(super) const CLONE3: i64 = 435;
    pub(super) const PIDFD_GETFD: i64 = 438;
    pub(super) const PROCESS_MADVISE: i64 = 440;
    pub(super) const MOUNT_SETATTR: i64 = 442;
    pub(super) const QUOTACTL_FD: i64 = 443;
    pub(super) const PROCESS_MRELEASE: i64 = 448;
    pub(super) const OPEN_TREE_ATTR: i64 = 467;
}

/// Refused whatever the arguments.
const REFUSED: &[i64] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    recent::PIDFD_GETFD,
    recent::PIDFD_SEND_SIGNAL,
    recent::PROCESS_MADVISE,
    recent::PROCESS_MRELEASE,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    // Other views of the system.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    recent::MOUNT_SETATTR,
    recent::OPEN_TREE_ATTR,
    // Files without their paths.
    libc::SYS_open_by_handle_at,
    // The kernel and the machine.
    libc::SYS_bpf,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_quotactl,
    recent::QUOTACTL_FD,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    libc::SYS_lookup_dcookie,
    libc::SYS_fanotify_init,
    // Keys of the kernel.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
];

#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[i64] =
    &[libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_modify_ldt, libc::SYS_uselib, libc::SYS_sysfs, libc::SYS_ustat];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[i64] = &[];

/// Flags of `clone` that make namespaces.
const NAMESPACES: [i32; 8] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    // Not one of theirs, but as little a function's business. CLONE_NEWTIME is none of `clone`'s.
    libc::CLONE_PTRACE,
];

/// Sends data in a connection's first packet, past the check of `connect`.
const MSG_FASTOPEN: u64 = 0x2000_0000;
/// The bits of a socket's type that are its type.
const TYPE: u64 = 0xf;

/// A comparison of one argument's lower half: what the kernel takes of an `int`.
fn int(argument: u8, is: Is, value: u64) -> Outcome<SeccompCondition> {
    SeccompCondition::new(argument, Width::Dword, is, value)
}

fn flags(value: i32) -> u64 {
    u64::from(value.cast_unsigned())
}

/// The filters for a plan, in the order in which they are put on.
pub(crate) fn filters(plan: &Plan) -> Result<Vec<BpfProgram>, String> {
    let mut refused = general().map_err(|error| error.to_string())?;
    let mut add = |rules: Outcome<Rules>| -> Result<(), String> {
        for (call, more) in rules.map_err(|error| error.to_string())? {
            refused.entry(call).or_default().extend(more);
        }
        Ok(())
    };
    add(sockets(plan.udp))?;
    match plan.programs {
        Programs::OnlyItself { .. } => add(no_processes())?,
        // A file that has no path can't be listed.
        Programs::Listed { .. } => add(Ok([(libc::SYS_memfd_create, vec![]), (libc::SYS_execveat, vec![])].into()))?,
        Programs::Any | Programs::Untold(_) => {}
    }
    let mut filters = vec![compile(refused, libc::EPERM.cast_unsigned())?];
    // Its flags lie behind a pointer. C libraries know what to do where there is none, and use `clone`.
    let clone3: Rules = [(recent::CLONE3, vec![])].into();
    filters.push(compile(clone3, libc::ENOSYS.cast_unsigned())?);
    if cfg!(target_arch = "x86_64") {
        filters.push(no_x32());
    }
    Ok(filters)
}

/// Ends a process that executes anything but the path at `address` of this process's memory, which is gone afterwards. It ends
/// rather than hears no: otherwise the address could be found by trying.
pub(crate) fn only_this_program(address: u64) -> Result<BpfProgram, String> {
    let rules = || -> Outcome<Rules> {
        let elsewhere = SeccompCondition::new(0, Width::Qword, Is::Ne, address)?;
        Ok([(libc::SYS_execve, vec![SeccompRule::new(vec![elsewhere])?]), (libc::SYS_execveat, vec![])].into())
    };
    program(rules().map_err(|error| error.to_string())?, SeccompAction::KillProcess)
}

fn general() -> Outcome<Rules> {
    let mut rules = Rules::new();
    for call in REFUSED.iter().chain(REFUSED_HERE).chain(&recent::IO_URING).chain(&recent::MOUNTS) {
        rules.insert(*call, vec![]);
    }
    let mut namespaces = Vec::new();
    for flag in NAMESPACES {
        namespaces.push(SeccompRule::new(vec![int(0, Is::MaskedEq(flags(flag)), flags(flag))?])?);
    }
    rules.insert(libc::SYS_clone, namespaces);
    Ok(rules)
}

fn sockets(udp: bool) -> Outcome<Rules> {
    let (stream, datagram) = (flags(libc::SOCK_STREAM), flags(libc::SOCK_DGRAM));
    let netlink = flags(libc::AF_NETLINK);
    let internet = [flags(libc::AF_INET), flags(libc::AF_INET6)];
    let mut socket = Vec::new();
    // Other families than these.
    let mut others = vec![int(0, Is::Ne, netlink)?];
    for family in internet {
        others.push(int(0, Is::Ne, family)?);
        for kind in (0..=TYPE).filter(|kind| *kind != stream && (*kind != datagram || !udp)) {
            socket.push(SeccompRule::new(vec![int(0, Is::Eq, family)?, int(1, Is::MaskedEq(TYPE), kind)?])?);
        }
        // Landlock holds TCP, not what else looks like a stream.
        for (kind, protocol) in [(stream, libc::IPPROTO_TCP), (datagram, libc::IPPROTO_UDP)] {
            socket.push(SeccompRule::new(vec![
                int(0, Is::Eq, family)?,
                int(1, Is::MaskedEq(TYPE), kind)?,
                int(2, Is::Ne, 0)?,
                int(2, Is::Ne, flags(protocol))?,
            ])?);
        }
    }
    socket.push(SeccompRule::new(others)?);
    // The list of addresses, which libraries of the runtimes ask for; nothing else of the kernel's own.
    socket.push(SeccompRule::new(vec![int(0, Is::Eq, netlink)?, int(2, Is::Ne, flags(libc::NETLINK_ROUTE))?])?);
    let pair = vec![
        SeccompRule::new(vec![int(0, Is::Ne, flags(libc::AF_UNIX))?])?,
        // A datagram socket may be given another address with every message.
        SeccompRule::new(vec![int(1, Is::MaskedEq(TYPE), datagram)?])?,
    ];
    let early = |argument| -> Outcome<Vec<SeccompRule>> {
        Ok(vec![SeccompRule::new(vec![int(argument, Is::MaskedEq(MSG_FASTOPEN), MSG_FASTOPEN)?])?])
    };
    Ok([
        (libc::SYS_socket, socket),
        (libc::SYS_socketpair, pair),
        (libc::SYS_sendto, early(3)?),
        (libc::SYS_sendmsg, early(2)?),
        (libc::SYS_sendmmsg, early(3)?),
    ]
    .into())
}

/// Threads, but no second process.
fn no_processes() -> Outcome<Rules> {
    let thread = flags(libc::CLONE_THREAD);
    let process = SeccompRule::new(vec![int(0, Is::MaskedEq(thread), 0)?])?;
    #[cfg(target_arch = "x86_64")]
    let old = [(libc::SYS_fork, vec![]), (libc::SYS_vfork, vec![])];
    #[cfg(not(target_arch = "x86_64"))]
    let old = [];
    Ok([(libc::SYS_clone, vec![process])].into_iter().chain(old).collect())
}

fn compile(rules: Rules, error: u32) -> Result<BpfProgram, String> {
    program(rules, SeccompAction::Errno(error))
}

fn program(rules: Rules, action: SeccompAction) -> Result<BpfProgram, String> {
    let target = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| error.to_string())?;
    SeccompFilter::new(rules, SeccompAction::Allow, action, target)
        .and_then(BpfProgram::try_from)
        .map_err(|error| error.to_string())
}

/// Refuses the second set of numbers that some x86 kernels know, by which everything above would have another one.
fn no_x32() -> BpfProgram {
    const LOAD_WORD: u16 = 0x20;
    const JUMP_IF_SET: u16 = 0x45;
    const RETURN: u16 = 0x06;
    let refuse = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned();
    let step = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    vec![
        step(LOAD_WORD, 0, 0, 0),
        step(JUMP_IF_SET, 0, 1, 0x4000_0000),
        step(RETURN, 0, 0, refuse),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]
}

/// A filter that lets everything pass, to see whether one can be had.
pub(crate) fn nothing() -> BpfProgram {
    vec![sock_filter { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW }]
}
