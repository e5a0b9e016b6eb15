//! Running a program system call by system call, over all its threads, and killing it at one.

use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// One system call as it was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// A write, sync, truncate or rename on a file below the folder that is watched.
    Store(StoreCall),
    /// A write to standard output: the answer.
    Answer,
    /// Any other.
    Other,
}

/// What is done to a file of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreCall {
    /// `write`, `pwrite64` and their like.
    Write,
    /// `fsync`, `fdatasync`.
    Sync,
    /// `ftruncate`.
    Truncate,
    /// `rename` and its like.
    Rename,
}

/// What the watcher wants done at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Let it go on.
    GoOn,
    /// Kill the whole program with SIGKILL before the call is carried out.
    Kill,
}

/// How a traced run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The exit code; `None` when it was killed.
    pub code: Option<i32>,
    /// What it printed on standard output until then.
    pub stdout: String,
}

/// Whether programs may be traced here.
pub fn not_allowed() -> Option<String> {
    let mut seen = 0;
    let ended = run(&mut Command::new("true"), Path::new("/"), |_, _| {
        seen += 1;
        Then::GoOn
    });
    match ended {
        Ok(ended) if ended.code == Some(0) && seen > 0 => None,
        Ok(_) | Err(_) => Some("tracing (ptrace) is not allowed here: run as root".to_owned()),
    }
}

/// Runs a program to its end or its kill, telling `watch` of each system call as it is entered:
/// the call and whether its file lies below `folder`. One count over all threads.
pub fn run(
    command: &mut Command,
    folder: &Path,
    mut watch: impl FnMut(Call, Option<&Path>) -> Then,
) -> nix::Result<Ended> {
    let mut child = stopped(command);
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    wait_until_stopped(pid);
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_EXITKILL;
    if let Err(error) = ptrace::seize(pid, options).and_then(|()| kill(pid, Signal::SIGCONT)) {
        drop(child.kill());
        drop(child.wait());
        return Err(error);
    }
    let reader = child.stdout.take().map(|out| std::thread::spawn(move || read_all(out)));
    let code = follow(pid, folder, &mut watch);
    let stdout = reader.map(|r| r.join().expect("the reader ends")).unwrap_or_default();
    // The process is gone and was waited for by `follow`.
    drop(child.wait());
    Ok(Ended { code: code?, stdout })
}

/// Starts the program behind a shell that stops itself first, so that no call is missed.
fn stopped(command: &mut Command) -> Child {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg("kill -STOP $$; exec \"$0\" \"$@\"").arg(command.get_program());
    shell.args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(key, value),
            None => shell.env_remove(key),
        };
    }
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    shell.spawn().expect("a shell starts")
}

/// Only what this thread started or traces: other tests' programs are theirs to wait for.
fn mine() -> WaitPidFlag {
    WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD
}

fn wait_until_stopped(pid: Pid) {
    let state = PathBuf::from(format!("/proc/{pid}/stat"));
    loop {
        let stat = fs::read_to_string(&state).unwrap_or_default();
        if stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T')) {
            return;
        }
        std::thread::yield_now();
    }
}

fn read_all(mut from: impl std::io::Read) -> String {
    let mut bytes = Vec::new();
    // What was read until the end is what counts; a killed program's pipe just ends.
    drop(from.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn follow(
    leader: Pid,
    folder: &Path,
    watch: &mut impl FnMut(Call, Option<&Path>) -> Then,
) -> nix::Result<Option<i32>> {
    let mut inside: BTreeSet<Pid> = BTreeSet::new();
    let mut code = None;
    loop {
        let status = match waitpid(Pid::from_raw(-1), Some(mine())) {
            Ok(status) => status,
            Err(nix::Error::ECHILD) => return Ok(code),
            Err(error) => return Err(error),
        };
        match status {
            WaitStatus::PtraceSyscall(thread) => {
                // Entries and exits come in turn for each thread; only entries are told.
                if inside.insert(thread) {
                    let (call, path) = read_call(leader, thread, folder);
                    if watch(call, path.as_deref()) == Then::Kill {
                        kill(leader, Signal::SIGKILL)?;
                        continue;
                    }
                } else {
                    inside.remove(&thread);
                }
                go_on(thread, None);
            }
            WaitStatus::Stopped(thread, signal) => {
                let own = matches!(signal, Signal::SIGSTOP | Signal::SIGCONT | Signal::SIGTRAP);
                go_on(thread, (!own).then_some(signal));
            }
            WaitStatus::PtraceEvent(thread, _, _) => go_on(thread, None),
            WaitStatus::Exited(pid, exit) if pid == leader => {
                code = Some(exit);
                return Ok(code);
            }
            WaitStatus::Signaled(pid, ..) if pid == leader => return Ok(None),
            WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..) => {
                inside.remove(&pid);
            }
            WaitStatus::Continued(_) | WaitStatus::StillAlive => {}
        }
    }
}

/// A thread that is gone meanwhile cannot go on, and need not.
fn go_on(thread: Pid, signal: Option<Signal>) {
    match ptrace::syscall(thread, signal) {
        Ok(()) | Err(nix::Error::ESRCH) => {}
        Err(error) => panic!("a traced thread cannot go on: {error}"),
    }
}

/// On the way out a thread or the whole program may be gone already, which is as well.
fn may_be_gone<T>(_: nix::Result<T>) {}

fn read_call(leader: Pid, thread: Pid, folder: &Path) -> (Call, Option<PathBuf>) {
    let Ok(registers) = ptrace::getregs(thread) else { return (Call::Other, None) };
    // x86-64 system call numbers, as in the kernel's table.
    if registers.orig_rax == 1 && registers.rdi == 1 {
        return (Call::Answer, None);
    }
    let call = match registers.orig_rax {
        1 | 18 | 20 | 296 => StoreCall::Write,
        74 | 75 => StoreCall::Sync,
        77 => StoreCall::Truncate,
        82 | 264 | 316 => return (Call::Store(StoreCall::Rename), None),
        _ => return (Call::Other, None),
    };
    let link = format!("/proc/{leader}/fd/{}", registers.rdi);
    let path = fs::read_link(link).ok();
    match path {
        Some(path) if path.starts_with(folder) => (Call::Store(call), Some(path)),
        _ => (Call::Other, None),
    }
}

/// A running program, held at its next sync of a file below a folder until it is let go.
pub struct Held {
    leader: Pid,
    threads: BTreeSet<Pid>,
}

impl Held {
    /// Attaches to all threads of a running program and lets it run until one of them is about to
    /// sync a file below `folder`; then the whole program stands still. `started` is called once
    /// the program runs under watch, to set off what will make it sync.
    pub fn before_sync(
        pid: u32,
        folder: &Path,
        started: impl FnOnce() + Send + 'static,
    ) -> nix::Result<Self> {
        let leader = Pid::from_raw(i32::try_from(pid).expect("a process id"));
        let options = Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE;
        let mut threads = BTreeSet::new();
        for entry in fs::read_dir(format!("/proc/{pid}/task")).expect("its threads").flatten() {
            let number = entry.file_name().to_string_lossy().parse().expect("a thread id");
            let thread = Pid::from_raw(number);
            ptrace::seize(thread, options)?;
            ptrace::interrupt(thread)?;
            threads.insert(thread);
        }
        let starter = std::thread::spawn(started);
        let mut inside: BTreeSet<Pid> = BTreeSet::new();
        loop {
            match waitpid(Pid::from_raw(-1), Some(mine()))? {
                WaitStatus::PtraceSyscall(thread) => {
                    if inside.insert(thread) {
                        if let (Call::Store(StoreCall::Sync), _) = read_call(leader, thread, folder)
                        {
                            drop(starter);
                            return Ok(Self { leader, threads });
                        }
                    } else {
                        inside.remove(&thread);
                    }
                    go_on(thread, None);
                }
                WaitStatus::Stopped(thread, _) | WaitStatus::PtraceEvent(thread, _, _) => {
                    threads.insert(thread);
                    go_on(thread, None);
                }
                WaitStatus::Exited(..)
                | WaitStatus::Signaled(..)
                | WaitStatus::Continued(_)
                | WaitStatus::StillAlive => {}
            }
        }
    }

    /// Lets the program go on, unwatched.
    pub fn let_go(self) {
        for thread in &self.threads {
            // One that stands still can be let go at once; one that runs is stopped first.
            if ptrace::detach(*thread, None).is_ok() || ptrace::interrupt(*thread).is_err() {
                continue;
            }
            let until = std::time::Instant::now() + std::time::Duration::from_secs(2);
            let look = mine() | WaitPidFlag::WNOHANG;
            while std::time::Instant::now() < until {
                match waitpid(*thread, Some(look)) {
                    Ok(WaitStatus::StillAlive) => std::thread::yield_now(),
                    Ok(_) | Err(_) => break,
                }
            }
            may_be_gone(ptrace::detach(*thread, None));
        }
        may_be_gone(kill(self.leader, Signal::SIGCONT));
    }
}
