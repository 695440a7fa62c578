//! Running other programs: bounded, quiet, their output captured.

use std::{
    io::{self, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use crate::poll;

/// More than this of a program's output is read and thrown away.
const KEPT_OUTPUT_BYTES: usize = 256 << 10;
/// How long an executable written by this process may be busy: another thread that forked holds it open until it execs.
const BUSY_LIMIT: Duration = Duration::from_secs(1);
/// How long to wait for the rest of the output once the program has ended; a grandchild may hold the pipe open.
const DRAIN_LIMIT: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

#[derive(Debug)]
pub(crate) enum RunError {
    Start(io::Error),
    Deadline { stderr: String },
}

/// Runs a program to its end, or kills it when `limit` has passed.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<Finished, RunError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn(command).map_err(RunError::Start)?;
    let stdout = Capture::start(child.stdout.take());
    let stderr = Capture::start(child.stderr.take());
    match poll::until(limit, LONGEST_PAUSE, || child.try_wait().transpose()) {
        Some(Ok(status)) => Ok(Finished { status, stdout: stdout.finish(), stderr: stderr.finish() }),
        Some(Err(error)) => {
            end(&mut child);
            Err(RunError::Start(error))
        }
        None => {
            end(&mut child);
            Err(RunError::Deadline { stderr: stderr.finish() })
        }
    }
}

fn spawn(command: &mut Command) -> io::Result<Child> {
    let mut last = None;
    let started = poll::until(BUSY_LIMIT, LONGEST_PAUSE, || match command.spawn() {
        Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
            last = Some(error);
            None
        }
        other => Some(other),
    });
    started.unwrap_or_else(|| Err(last.unwrap_or_else(|| io::ErrorKind::ExecutableFileBusy.into())))
}

fn end(child: &mut Child) {
    // OK because a failed kill means that it has ended, and then `wait` returns at once.
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads a pipe on a thread of its own, so that a full pipe never blocks the program.
struct Capture {
    kept: Arc<Mutex<Vec<u8>>>,
    ended: mpsc::Receiver<()>,
}

impl Capture {
    fn start(pipe: Option<impl Read + Send + 'static>) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (end, ended) = mpsc::channel();
        if let Some(pipe) = pipe {
            let kept = Arc::clone(&kept);
            thread::spawn(move || {
                drain(pipe, &kept);
                // Nobody listens any more after the limit.
                let _ = end.send(());
            });
        }
        Self { kept, ended }
    }

    fn finish(self) -> String {
        // Both outcomes are fine: what has come by now is what there is.
        let _ = self.ended.recv_timeout(DRAIN_LIMIT);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

fn drain(mut pipe: impl Read, kept: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 8 << 10];
    while let Ok(count) = pipe.read(&mut buffer) {
        if count == 0 {
            return;
        }
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT_OUTPUT_BYTES.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
}

/// Writes a command as a user would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).map(quote).collect();
    words.join(" ")
}

fn quote(word: std::borrow::Cow<'_, str>) -> String {
    if word.contains(' ') { format!("'{word}'") } else { word.into_owned() }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_outputs_and_the_status_come_back() {
        let finished = run(&mut shell("echo out; echo err >&2; exit 3"), Duration::from_secs(60)).unwrap();
        assert_eq!((finished.stdout.as_str(), finished.stderr.as_str()), ("out\n", "err\n"));
        assert_eq!(finished.status.code(), Some(3));
    }

    #[test]
    fn a_program_that_hangs_is_killed_and_what_it_said_is_kept() {
        // Says something, then waits for a pipe of its own that never ends.
        let hang = "echo stuck >&2; exec tail -f /dev/null";
        let error = run(&mut shell(hang), Duration::from_millis(300)).unwrap_err();
        assert!(matches!(&error, RunError::Deadline { stderr } if stderr == "stuck\n"), "{error:?}");
    }

    #[test]
    fn more_output_than_a_pipe_holds_blocks_nobody() {
        let finished = run(&mut shell("yes | head -c 3000000"), Duration::from_secs(60)).unwrap();
        assert!(finished.status.success());
        assert_eq!(finished.stdout.len(), KEPT_OUTPUT_BYTES);
    }

    #[test]
    fn a_missing_program_is_an_error() {
        let error = run(&mut Command::new("/no/such/program"), Duration::from_secs(60)).unwrap_err();
        assert!(matches!(error, RunError::Start(error) if error.kind() == io::ErrorKind::NotFound));
    }

    // A file that this process has just written is busy while another thread's child still has it open.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_busy_executable_is_tried_again_until_it_is_free() {
        use std::{fs, os::unix::fs::PermissionsExt, time::Instant};

        let path = std::env::temp_dir().join(format!("isolated-nats-test-{}-busy", std::process::id()));
        fs::write(&path, "#!/bin/sh\necho free\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let writer = fs::File::options().append(true).open(&path).unwrap();
        let started = Instant::now();
        let error = run(&mut Command::new(&path), Duration::from_secs(60)).unwrap_err();
        assert!(started.elapsed() >= BUSY_LIMIT, "given up after {:?}", started.elapsed());
        assert!(matches!(error, RunError::Start(error) if error.kind() == io::ErrorKind::ExecutableFileBusy));
        drop(writer);
        assert_eq!(run(&mut Command::new(&path), Duration::from_secs(60)).unwrap().stdout, "free\n");
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_command_line_can_be_typed() {
        assert_eq!(
            line(Command::new("pip").args(["download", "-d", "/tmp/a b"])),
            "pip download -d '/tmp/a b'"
        );
    }
}
