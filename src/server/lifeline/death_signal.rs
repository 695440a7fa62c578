//! Linux: the kernel kills the child when the thread that made it ends.
//!
//! The signal must be asked for in the child, before it becomes the server. `Command::pre_exec` would do that, but makes
//! `std` fork, and a fork copies the page tables of the test process, which takes as long as the server itself for a few
//! hundred megabytes. So the child is made as `posix_spawn` makes it: it shares our memory, on a stack of its own, while
//! this thread stands still until it has become the server or has ended.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command;
use std::ptr;

use libc::{c_char, c_int, c_void};
use rustix::process::Pid;

use super::Child;

/// In units of 16 bytes, which is also how a stack must be aligned: 64 KiB, twice what `posix_spawn` takes at least.
const STACK: usize = 4096;

/// Makes the child. Call it only on the spawner thread: a server made elsewhere would die with that thread.
pub(super) fn spawn(command: &Command, log: &File) -> io::Result<Child> {
    let program = c_string(command.get_program().as_bytes().to_vec())?;
    let arguments = std::iter::once(command.get_program()).chain(command.get_args());
    let arguments =
        arguments.map(|part| c_string(part.as_bytes().to_vec())).collect::<io::Result<Vec<_>>>()?;
    let environment = environment(command)?;
    // Above the three that the child's are put on.
    let input = rustix::io::fcntl_dupfd_cloexec(File::open("/dev/null")?, 3)?;
    let output = rustix::io::fcntl_dupfd_cloexec(log, 3)?;
    let (argv, envp) = (pointers(&arguments), pointers(&environment));
    let mut orders = Orders {
        program: program.as_ptr(),
        argv: argv.as_ptr(),
        envp: envp.as_ptr(),
        input: input.as_raw_fd(),
        output: output.as_raw_fd(),
        parent: rustix::process::getpid().as_raw_nonzero().get(),
        error: 0,
    };
    let mut child = Child::new(clone(&mut orders)?);
    if orders.error == 0 {
        return Ok(child);
    }
    let _ = child.wait(); // what matters is why it ended
    Err(io::Error::from_raw_os_error(orders.error))
}

fn c_string(bytes: Vec<u8>) -> io::Result<CString> {
    CString::new(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

/// Our environment with the command's changes, as `NAME=value`.
fn environment(command: &Command) -> io::Result<Vec<CString>> {
    let mut variables: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    for (key, value) in command.get_envs() {
        variables.retain(|(name, _)| name != key);
        variables.extend(value.map(|value| (key.to_owned(), value.to_owned())));
    }
    let text = |(mut name, value): (OsString, OsString)| {
        name.push("=");
        name.push(value);
        c_string(name.into_vec())
    };
    variables.into_iter().map(text).collect()
}

/// The array that the system wants: a pointer to each, and a null.
fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// What the child is told, in memory that it shares with us, and what it answers.
struct Orders {
    program: *const c_char,
    argv: *const *const c_char,
    envp: *const *const c_char,
    input: c_int,
    output: c_int,
    parent: libc::pid_t,
    /// The system's error number, if the child could not become the program.
    error: c_int,
}

/// Makes the child, and returns once it has become the program or has ended.
#[expect(unsafe_code, reason = "no safe call makes a child that shares memory, and a fork is too slow")]
fn clone(orders: &mut Orders) -> io::Result<Pid> {
    let mut stack = vec![0_u128; STACK];
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: `stack` and `orders` outlive the child's use of them, for CLONE_VFORK keeps this thread here until the child
    // has another memory or is gone. The stack grows down from its end, which is aligned to 16 bytes. All signals are
    // blocked meanwhile, in the child too, so that no handler of this process runs in the child on the shared memory.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, &raw mut before);
        let end = stack.as_mut_ptr().add(STACK).cast::<c_void>();
        let pid = libc::clone(become_program, end, flags, ptr::from_mut(orders).cast());
        let error = io::Error::last_os_error();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut());
        Pid::from_raw(pid).filter(|_| pid > 0).ok_or(error)
    }
}

/// The child's whole life before it is the program.
#[expect(unsafe_code, reason = "as above")]
extern "C" fn become_program(orders: *mut c_void) -> c_int {
    // SAFETY: `orders` is the `Orders` of `clone`, which nobody else uses until this child is gone. Only calls that are
    // safe between fork and exec are made: no allocation, no lock, no panic.
    unsafe {
        let orders = &mut *orders.cast::<Orders>();
        orders.error = try_to_become(orders);
        libc::_exit(127)
    }
}

/// Returns only when it failed, with the error number.
#[expect(unsafe_code, reason = "as above")]
unsafe fn try_to_become(orders: &Orders) -> c_int {
    // SAFETY: as in the caller; the pointers in `orders` are to strings and arrays that end with a null.
    unsafe {
        reset_signals();
        if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) == -1 {
            return last_error();
        }
        // The parent may have ended before the call above; the signal would then never come.
        if libc::getppid() != orders.parent {
            return libc::ESRCH;
        }
        for (from, to) in [(orders.input, 0), (orders.output, 1), (orders.output, 2)] {
            if libc::dup2(from, to) == -1 {
                return last_error();
            }
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
        libc::execve(orders.program, orders.argv, orders.envp);
        last_error()
    }
}

/// Every handler of this process becomes the default, before signals are let through again; so does an ignored SIGPIPE,
/// which Rust programs start with and no other program expects. The child's table is its own.
#[expect(unsafe_code, reason = "as above")]
unsafe fn reset_signals() {
    const LAST: c_int = 64;
    // SAFETY: a zeroed `sigaction` is the default action with an empty mask; numbers that are no signals are refused.
    unsafe {
        for signal in 1..=LAST {
            let mut action: libc::sigaction = std::mem::zeroed();
            let known = libc::sigaction(signal, ptr::null(), &raw mut action) == 0;
            let ignored = action.sa_sigaction == libc::SIG_IGN && signal != libc::SIGPIPE;
            if known && !ignored && action.sa_sigaction != libc::SIG_DFL {
                action = std::mem::zeroed();
                libc::sigaction(signal, &raw const action, ptr::null_mut());
            }
        }
    }
}

fn last_error() -> c_int {
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a shell script, and returns what it printed; the child is of this thread, which outlives it here.
    fn run(command: &mut Command) -> (std::process::ExitStatus, String) {
        let path = std::env::temp_dir().join(crate::server::directory::unique_name("death-signal"));
        let log = File::create(&path).unwrap();
        let status = spawn(command, &log).unwrap().wait().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        (status, text)
    }

    #[test]
    fn a_child_has_its_arguments_its_environment_and_its_output() {
        let script = "echo \"$0|$1|$CHANGED|${PATH:+path}|${HOME-unset}\"; echo error >&2; read line || echo no input; exit 3";
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, "name", "ä b"]).env("CHANGED", "y=z").env_remove("HOME");
        let (status, text) = run(&mut command);
        assert_eq!((status.code(), text.as_str()), (Some(3), "name|ä b|y=z|path|unset\nerror\nno input\n"));
    }

    #[test]
    fn a_child_blocks_no_signal_and_ignores_what_we_do_but_for_a_broken_pipe() {
        let mask = |status: &str, name: &str| {
            let text = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            u64::from_str_radix(text.trim(), 16).unwrap()
        };
        let (_, child) = run(Command::new("/bin/cat").arg("/proc/self/status"));
        let ours = std::fs::read_to_string("/proc/self/status").unwrap();
        let broken_pipe = 1 << (libc::SIGPIPE - 1);
        assert_ne!(mask(&ours, "SigIgn:") & broken_pipe, 0, "Rust ignores it");
        assert_eq!(mask(&child, "SigIgn:"), mask(&ours, "SigIgn:") & !broken_pipe);
        assert_eq!(mask(&child, "SigBlk:"), 0);
    }

    #[test]
    fn what_cannot_be_executed_is_an_error_and_leaves_no_child() {
        let log = File::create("/dev/null").unwrap();
        let error = spawn(&Command::new("/no/such/program"), &log).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let error = spawn(&Command::new("/dev/null"), &log).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn a_child_dies_with_the_thread_that_made_it() {
        let thread = std::thread::spawn(|| {
            let log = File::create("/dev/null").unwrap();
            spawn(Command::new("/bin/sleep").arg("600"), &log).unwrap()
        });
        let status = thread.join().unwrap().wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    }
}
