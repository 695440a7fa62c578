//! Runs children, one at a time, and bounds them.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::arguments::CHILD;
use super::order::{Answer, Order};

/// How often the progress is drawn anew.
const TICK: Duration = Duration::from_millis(200);
/// How much of what a failed child says is shown.
const SHOWN_LINES: usize = 20;

/// Runs this program as a child with this order; `tick` is called now and then meanwhile.
///
/// # Errors
///
/// Why there is no answer, with what the child said.
pub(crate) fn run(order: &Order, mut tick: impl FnMut()) -> Result<Answer, String> {
    let mut child = spawn(order)?;
    let errors = read_in_thread(child.stderr.take());
    let (sender, answer) = mpsc::channel();
    let mut stdout = child.stdout.take();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.as_mut().map_or(Ok(0), |stdout| stdout.read_to_string(&mut text));
        sender.send(read.map(|_| text))
    });
    let (begun, limit) = (Instant::now(), order.limit());
    let answer = loop {
        match answer.recv_timeout(TICK) {
            Err(RecvTimeoutError::Timeout) if begun.elapsed() < limit => tick(),
            Ok(Ok(answer)) => break Ok(answer),
            Ok(Err(error)) => break Err(format!("its output could not be read: {error}")),
            Err(_) => {
                break Err(format!(
                    "it did not end within {limit:.0?} (ISOLATED_NATS_TIME_FACTOR=2 doubles that)"
                ));
            }
        }
    };
    if answer.is_err() {
        let _ = child.kill(); // it may have ended meanwhile
    }
    end(child, answer, errors)
}

/// The child's standard input stays open for as long as this process lives: see `child`.
fn spawn(order: &Order) -> Result<Child, String> {
    let program =
        std::env::current_exe().map_err(|error| format!("this program cannot be found: {error}"))?;
    let order = serde_json::to_string(order).map_err(|error| error.to_string())?;
    let mut command = Command::new(&program);
    command.args([CHILD, &order]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| format!("`{}` could not be started: {error}", program.display()))
}

fn read_in_thread(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is shown as well.
        let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn end(
    mut child: Child,
    answer: Result<String, String>,
    errors: JoinHandle<String>,
) -> Result<Answer, String> {
    let input = child.stdin.take(); // `wait` would close it, and end the child
    let status = child.wait().map_err(|error| format!("it could not be waited for: {error}"))?;
    drop(input);
    let said = || {
        let errors = errors.join().unwrap_or_default();
        let lines: Vec<&str> = errors.lines().collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..]
            .iter()
            .map(|line| format!("\n    {line}"))
            .collect::<String>()
    };
    match answer {
        Ok(answer) if status.success() => serde_json::from_str(&answer)
            .map_err(|error| format!("its answer cannot be read: {error}{}", said())),
        Ok(_) => Err(format!("it failed ({status}):{}", said())),
        Err(why) => Err(format!("{why}{}", said())),
    }
}
