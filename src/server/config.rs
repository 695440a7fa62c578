//! The configuration text of a server: pure functions from what the builder holds to what the server reads.
//!
//! Order decides: the server takes the last of two equal keys. First our defaults, then the user's file, then the
//! user's text, then what nobody may change. Addresses, ports and the store also go on the command line, which wins
//! over every spelling of their keys (`port`, `listen`, `net`, …).

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

/// What goes into a configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) server_name: String,
    pub(crate) jetstream: Option<JetStreamLimits>,
    /// The user's file, relative to the directory of the configuration: the server takes no other `include`.
    pub(crate) include: Option<PathBuf>,
    pub(crate) user: Option<(String, String)>,
    pub(crate) token: Option<String>,
    pub(crate) max_payload_bytes: Option<u64>,
    pub(crate) max_connections: Option<u64>,
    pub(crate) max_subscriptions: Option<u64>,
    pub(crate) max_pending_bytes: Option<u64>,
    pub(crate) profiling: bool,
    pub(crate) log: LogLevel,
    pub(crate) text: String,
}

/// Bounds of what one test may store; the server's own defaults are three quarters of the memory and of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JetStreamLimits {
    pub(crate) memory_bytes: u64,
    pub(crate) file_bytes: u64,
}

impl Default for JetStreamLimits {
    fn default() -> Self {
        Self { memory_bytes: 256 << 20, file_bytes: 1 << 30 }
    }
}

/// How much the server logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogLevel {
    #[default]
    Info,
    Debug,
    Trace,
}

/// Writes the whole configuration.
pub(crate) fn render(settings: &Settings) -> String {
    let mut text = String::from("# Written by isolated-nats for one test.\n");
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "{key}: {value}");
    };
    // The shortest the server accepts: a lame duck is tested by its announcement, not by its end.
    line("lame_duck_duration", "\"30s\"");
    line("lame_duck_grace_period", "\"1s\"");
    if let Some(limits) = settings.jetstream {
        let JetStreamLimits { memory_bytes, file_bytes } = limits;
        let _ =
            writeln!(text, "jetstream {{ max_memory_store: {memory_bytes}, max_file_store: {file_bytes} }}");
    }
    if let Some(path) = &settings.include {
        let _ = writeln!(text, "include {}", quoted(&slashed(path)));
    }
    if !settings.text.is_empty() {
        let _ = writeln!(text, "{}", settings.text);
    }
    asked_for(settings, &mut text);
    let _ = writeln!(text, "server_name: {}", quoted(&settings.server_name));
    text.push_str("listen: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"\n");
    text
}

/// What a builder method asked for by name, which therefore wins over the user's file.
fn asked_for(settings: &Settings, text: &mut String) {
    if let Some((user, password)) = &settings.user {
        let _ = writeln!(text, "authorization {{ user: {}, password: {} }}", quoted(user), quoted(password));
    }
    if let Some(token) = &settings.token {
        let _ = writeln!(text, "authorization {{ token: {} }}", quoted(token));
    }
    let numbers = [
        ("max_payload", settings.max_payload_bytes),
        ("max_connections", settings.max_connections),
        ("max_subscriptions", settings.max_subscriptions),
        ("max_pending", settings.max_pending_bytes),
    ];
    for (key, value) in numbers {
        if let Some(value) = value {
            let _ = writeln!(text, "{key}: {value}");
        }
    }
    if settings.profiling {
        text.push_str("prof_port: -1\n");
    }
    match settings.log {
        LogLevel::Info => {}
        LogLevel::Debug => text.push_str("debug: true\n"),
        LogLevel::Trace => text.push_str("debug: true\ntrace: true\n"),
    }
}

/// A string of the server's configuration language; a backslash starts an escape in it, a quote ends it.
fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            other => text.push(other),
        }
    }
    text.push('"');
    text
}

/// The path with `/` between its parts, which the server takes on every system.
fn slashed(path: &Path) -> String {
    path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

/// The way from one absolute directory to a file, by name alone, as the server itself resolves an `include`; `None`
/// when they share no root, as on two Windows drives.
pub(crate) fn relative(from: &Path, to: &Path) -> Option<PathBuf> {
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    if from.first() != to.first() {
        return None;
    }
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[shared..].iter().map(|_| Component::ParentDir);
    Some(up.chain(to[shared..].iter().copied()).collect())
}

/// Where the server found a second `store_dir`: a file and the text position in it, both as the server prints them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SecondStore<'a> {
    pub(crate) file: &'a str,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Reads `nats-server: <file>:<line>:<column>: Duplicate 'store_dir' configuration`.
pub(crate) fn second_store(message: &str) -> Option<SecondStore<'_>> {
    let place = message.trim().strip_suffix(": Duplicate 'store_dir' configuration")?;
    let place = place.strip_prefix("nats-server: ").unwrap_or(place);
    let mut parts = place.rsplitn(3, ':');
    let (column, line, file) = (parts.next()?, parts.next()?, parts.next()?);
    Some(SecondStore { file, line: line.parse().ok()?, column: column.parse().ok()? })
}

/// Blanks the `store_dir` statement near a place, so that the store on the command line is the only one.
///
/// The server's column may be that of the key or of its value; the statement is the last `store_dir` (or `storedir`, any
/// case) that starts at or before it on that line. `None` when there is none, as after an `include` in between.
pub(crate) fn without_store(text: &str, line: usize, column: usize) -> Option<String> {
    let start: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let rest = text.get(start..)?;
    let content = rest.lines().next()?;
    let before = floor(content, column.saturating_add("store_dir".len()));
    let lower = content.to_ascii_lowercase();
    let (key, length) = ["store_dir", "storedir"]
        .iter()
        .filter_map(|name| lower[..before].rfind(name).map(|at| (at, name.len())))
        .max()?;
    let end = key + length + value_length(&content[key + length..])?;
    let mut result = String::with_capacity(text.len());
    result.push_str(&text[..start + key]);
    result.push_str(&text[start + end..]);
    Some(result)
}

/// The largest character boundary at or below an index.
fn floor(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The length of what follows a key: a separator, a value that is quoted or ends before a space or a delimiter, and the
/// comma after it.
fn value_length(text: &str) -> Option<usize> {
    let value = text.trim_start_matches([' ', '\t', ':', '=', '"', '\'']);
    let before = text.len() - value.len();
    let quote = text[..before].chars().next_back().filter(|character| matches!(character, '"' | '\''));
    let length = match quote {
        Some(quote) => value.find(quote)? + 1,
        None => value.find([' ', '\t', ',', ';', '}', '#']).unwrap_or(value.len()),
    };
    let end = before + length;
    let after = &text[end..];
    Some(end + if after.trim_start().starts_with(',') { after.find(',')? + 1 } else { 0 })
}

/// Makes the `include` statements of a text right for a copy of it in another directory; `way` leads from that
/// directory to the text's own.
pub(crate) fn with_includes_from(text: &str, way: &Path) -> String {
    text.split_inclusive('\n').map(|line| rebased(line, way)).collect()
}

/// One line with each `include` in it rebased, in any case, as the server reads it.
fn rebased(line: &str, way: &Path) -> String {
    let Some(at) = include_at(line) else { return line.to_owned() };
    let (before, rest) = line.split_at(at + "include".len());
    let value = rest.trim_start_matches([' ', '\t']);
    let (path, after) = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
        _ => value.split_at(value.find(|end: char| end.is_whitespace() || end == '}').unwrap_or(value.len())),
    };
    let path = way.join(path.trim_start_matches('/'));
    format!("{before} {}{}", quoted(&slashed(&path)), rebased(after, way))
}

/// Where a line has an `include` statement: outside quotes and comments, between what may stand around a key.
fn include_at(line: &str) -> Option<usize> {
    let lower = line.to_ascii_lowercase();
    let mut quote = None;
    let mut before = ' ';
    for (at, character) in lower.char_indices() {
        let starts = quote.is_none() && (before.is_whitespace() || "{;,".contains(before));
        match character {
            '#' if quote.is_none() => return None,
            'i' if starts && lower[at..].starts_with("include ") | lower[at..].starts_with("include\t") => {
                return Some(at);
            }
            '"' | '\'' if quote.is_none() => quote = Some(character),
            _ if quote == Some(character) => quote = None,
            _ => {}
        }
        before = character;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_configuration_is_short_and_loopback_only() {
        let settings = Settings { server_name: "t-1".into(), ..Settings::default() };
        assert_eq!(
            render(&settings),
            "# Written by isolated-nats for one test.\n\
             lame_duck_duration: \"30s\"\n\
             lame_duck_grace_period: \"1s\"\n\
             server_name: \"t-1\"\n\
             listen: \"127.0.0.1:-1\"\n\
             http: \"127.0.0.1:-1\"\n"
        );
    }

    #[test]
    fn what_is_fixed_comes_after_the_users_file_and_text_and_our_defaults_before() {
        let settings = Settings {
            server_name: "t".into(),
            jetstream: Some(JetStreamLimits::default()),
            include: Some("../a b.conf".into()),
            text: "max_payload: 1\nport: 4222".into(),
            max_payload_bytes: Some(2048),
            ..Settings::default()
        };
        let text = render(&settings);
        let order =
            ["jetstream {", "include \"../a b.conf\"", "max_payload: 1\n", "max_payload: 2048", "listen:"];
        let places: Vec<_> = order.iter().map(|part| text.find(part).expect(part)).collect();
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn quotes_and_backslashes_in_a_password_stay_what_they_are() {
        assert_eq!(quoted("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
        let settings = Settings { user: Some(("u".into(), "p\"".into())), ..Settings::default() };
        assert!(render(&settings).contains(r#"authorization { user: "u", password: "p\"" }"#));
    }

    #[test]
    fn a_path_is_relative_to_the_configurations_directory() {
        let way = |from: &str, to: &str| relative(Path::new(from), Path::new(to)).map(|path| slashed(&path));
        assert_eq!(way("/tmp/x/y", "/home/a/n.conf").as_deref(), Some("../../../home/a/n.conf"));
        assert_eq!(way("/tmp/x", "/tmp/x/n.conf").as_deref(), Some("n.conf"));
        assert_eq!(way("tmp", "/n.conf"), None);
    }

    #[test]
    fn the_place_of_a_second_store_is_read_from_the_servers_words() {
        let place =
            second_store("nats-server: ../user.conf:5:28: Duplicate 'store_dir' configuration").unwrap();
        assert_eq!(place, SecondStore { file: "../user.conf", line: 5, column: 28 });
        assert_eq!(second_store("nats-server: Parse error on line 7"), None);
    }

    #[test]
    fn includes_of_a_copied_file_still_lead_to_its_neighbours() {
        for (text, expected) in [
            ("include \"auth.conf\" # first\n", "include \"../etc/auth.conf\" # first\n"),
            ("  Include sub/x.conf\r\n", "  Include \"../etc/sub/x.conf\"\r\n"),
            ("a { include 'b' }; c {include d}", "a { include \"../etc/b\" }; c {include \"../etc/d\"}"),
            ("included: 1 # include x\n", "included: 1 # include x\n"),
            ("text: \"do include this\"", "text: \"do include this\""),
        ] {
            assert_eq!(with_includes_from(text, Path::new("../etc")), expected);
        }
    }

    #[test]
    fn a_store_is_taken_out_whatever_its_spelling() {
        let cases = [
            (
                "jetstream { domain: \"hub\", store_dir: \"/a b\", max_mem: 1M }",
                "jetstream { domain: \"hub\",  max_mem: 1M }",
            ),
            ("jetstream {\n  Store_Dir = '/x'\n}", "jetstream {\n  \n}"),
            ("store_dir /var/lib/nats # here", " # here"),
            ("jetstream{storedir:/x}", "jetstream{}"),
        ];
        for (text, expected) in cases {
            let line = text.lines().position(|line| line.to_lowercase().contains("store")).unwrap() + 1;
            let column = text.lines().nth(line - 1).unwrap().to_lowercase().find("store").unwrap();
            assert_eq!(without_store(text, line, column).as_deref(), Some(expected), "{text}");
            assert_eq!(without_store(text, line, column + 2).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(without_store("include \"other.conf\"", 1, 3), None);
        assert_eq!(without_store("store_dir: x", 9, 1), None);
    }
}
