//! The floor: nothing but a spawn, a look at the ports file each 0.5 ms, and a connection.
//!
//! Configuration, flags and environment are those of a server that isolated-nats started, with another name and another
//! directory. Everything is written before the clock starts. What the floor leaves out: the choice of the executable, the
//! making of the directory, the tie to this process's life, the check of the server's name and of JetStream's health.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use isolated_nats::ExternalNats;
use isolated_nats_benches::Error;

use crate::wire;

const INTERVAL: Duration = Duration::from_micros(500);
const LIMIT: Duration = Duration::from_secs(10);

/// The configuration and the command line of a server, to be started again elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    directory: String,
    name: String,
    configuration: String,
    words: Vec<String>,
}

impl Model {
    /// Reads them off a running server.
    pub(crate) fn of(nats: &ExternalNats) -> Result<Self, Error> {
        Ok(Self {
            directory: nats.dir().to_str().ok_or("a scratch directory in UTF-8 is needed")?.to_owned(),
            name: nats.server_name().to_owned(),
            configuration: fs::read_to_string(nats.dir().join("server.conf"))?,
            words: words(&nats.command_line()),
        })
    }

    /// Makes a directory below `parent` with everything that a start needs.
    pub(crate) fn prepare(&self, parent: &Path, name: &str) -> Result<Prepared, Error> {
        let path = parent.join(name);
        for part in ["store", "ports"] {
            fs::create_dir_all(path.join(part))?;
        }
        let new = path.to_str().ok_or("a scratch directory in UTF-8 is needed")?;
        let adapted = |text: &str| text.replace(&self.directory, new).replace(&self.name, name);
        fs::write(path.join("server.conf"), adapted(&self.configuration))?;
        let log = File::options().create(true).append(true).open(path.join("server.log"))?;
        let (program, arguments) = self.words.split_first().ok_or("a command line without a program")?;
        let mut command = Command::new(program);
        command.args(arguments.iter().map(|word| adapted(word))).env("TMPDIR", &path);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let stem = Path::new(program).file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Prepared { path, command, stem })
    }
}

/// A start whose every file is there.
#[derive(Debug)]
pub(crate) struct Prepared {
    path: PathBuf,
    command: Command,
    stem: String,
}

impl Prepared {
    /// The loop itself; returns the port as soon as it is known.
    pub(crate) fn start(mut self) -> Result<(Bare, u16), Error> {
        let started = Instant::now();
        let bare = Bare { child: self.command.spawn()?, path: self.path };
        let ports = bare.path.join("ports").join(format!("{}_{}.ports", self.stem, bare.child.id()));
        loop {
            if let Some(port) = fs::read(&ports).ok().and_then(|text| port(&text)) {
                return Ok((bare, port));
            }
            if started.elapsed() > LIMIT {
                return Err(format!("the bare loop saw no ports file within {LIMIT:?}").into());
            }
            nap();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the bare loop is what the library's own wait is measured against"
)]
fn nap() {
    std::thread::sleep(INTERVAL);
}

/// `None` for a file that is written only in part.
fn port(text: &[u8]) -> Option<u16> {
    let file: serde_json::Value = serde_json::from_slice(text).ok()?;
    wire::port_of(file["nats"][0].as_str()?).ok()
}

/// A server of the bare loop; killed, waited for and removed with its directory when dropped.
#[derive(Debug)]
pub(crate) struct Bare {
    child: Child,
    path: PathBuf,
}

impl Drop for Bare {
    fn drop(&mut self) {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if let Err(error) = ended.and_then(|_| fs::remove_dir_all(&self.path)) {
            eprintln!("a server of the bare loop could not be cleared away: {error}");
        }
    }
}

/// The words of a command line as a shell reads them: single quotes, and a backslash outside of them.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), None::<String>, false);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            '\\' if !is_quoted => word.get_or_insert_default().extend(characters.next()),
            ' ' if !is_quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_command_line_gives_its_words_back() {
        assert_eq!(words(r"'/a b/n' -c 'it'\''s' '' x"), ["/a b/n", "-c", "it's", "", "x"]);
    }

    #[test]
    fn a_part_of_a_ports_file_is_no_port() {
        let whole = br#"{"nats":["nats://127.0.0.1:42"]}"#;
        assert_eq!(port(whole), Some(42));
        assert_eq!(port(&whole[..30]), None);
    }
}
