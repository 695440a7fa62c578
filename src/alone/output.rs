//! Reads what the child printed: which lines are the test's, which libtest's, and what they say of the end.

use super::child;

/// What is to be done with a part of the output.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A line of the test's, without its end.
    Line(String),
    /// A line for past the runner's capture, without its end.
    Aloud(String),
    /// The test's time begins.
    BodyBegins,
}

/// What is known from the output of how the test ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// How many tests libtest said that it runs; `None` when it said nothing, and is probably not there.
    pub(super) running: Option<u32>,
    /// Whether the test was reached.
    pub(super) began: bool,
    /// How many tests passed and failed; `None` when libtest did not come to its end.
    pub(super) result: Option<(u32, u32)>,
    /// Why the test failed, in one line: its panic, its error, or libtest's remark.
    pub(super) message: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before the test was reached. It is kept back: what printed it printed it in the parent too, on the way here.
    Before,
    Test,
    After,
}

/// The output so far.
#[derive(Debug)]
pub(super) struct Output<'a> {
    test: &'a str,
    mark: String,
    phase: Phase,
    aloud: bool,
    /// The next line says why a thread panicked.
    panicked: bool,
    /// The bytes of a line that is not whole yet.
    part: Vec<u8>,
    kept_back: Vec<String>,
    seen: Seen,
}

impl<'a> Output<'a> {
    pub(super) fn new(test: &'a str, token: &str) -> Self {
        Self {
            test,
            mark: child::mark(token),
            phase: Phase::Before,
            aloud: false,
            panicked: false,
            part: Vec::new(),
            kept_back: Vec::new(),
            seen: Seen::default(),
        }
    }

    /// Whether libtest has printed its last line.
    pub(super) fn has_result(&self) -> bool {
        self.seen.result.is_some()
    }

    /// Takes the next bytes, and returns what they complete, in order.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Said> {
        let mut said = Vec::new();
        self.part.extend_from_slice(bytes);
        let whole = self.part.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let rest = self.part.split_off(whole);
        let lines = std::mem::replace(&mut self.part, rest);
        for line in String::from_utf8_lossy(&lines).lines() {
            self.line(line, &mut said);
        }
        said
    }

    /// Ends the output: what was kept back is shown if the test was never reached, since nothing else tells why.
    pub(super) fn finish(mut self) -> (Vec<Said>, Seen) {
        let mut said = if self.part.is_empty() { Vec::new() } else { self.feed(b"\n") };
        for line in std::mem::take(&mut self.kept_back) {
            let own = self.without_name(&line);
            if !self.is_libtests(own) {
                said.push(Said::Line(own.to_owned()));
            }
        }
        (said, self.seen)
    }

    fn line(&mut self, line: &str, said: &mut Vec<Said>) {
        let Some((before, word)) = line.split_once(&self.mark) else { return self.text(line, said) };
        if !before.is_empty() {
            self.text(before, said);
        }
        match word {
            "begin" => {
                self.phase = Phase::Test;
                self.seen.began = true;
                self.kept_back.clear();
            }
            "body" => said.push(Said::BodyBegins),
            "end" => self.phase = Phase::After,
            _ => self.aloud = word == "aloud",
        }
    }

    fn text(&mut self, line: &str, said: &mut Vec<Said>) {
        if self.aloud {
            return said.push(Said::Aloud(line.to_owned()));
        }
        match self.phase {
            Phase::Before => {
                self.note_counts(line);
                self.note_panic(line);
                self.kept_back.push(line.to_owned());
            }
            Phase::Test => {
                self.note_panic(line);
                said.push(Said::Line(line.to_owned()));
            }
            Phase::After => {
                self.note_counts(line);
                self.note_remark(line);
                if !self.is_libtests(line) {
                    said.push(Said::Line(line.to_owned()));
                }
            }
        }
    }

    fn note_counts(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("running ") {
            let count = || rest.split(' ').next().and_then(|count| count.parse().ok());
            self.seen.running = self.seen.running.or_else(count);
        } else if let Some(rest) = line.strip_prefix("test result: ") {
            self.seen.result = count(rest, "passed").zip(count(rest, "failed"));
        }
    }

    /// The last panic of the test's thread counts: earlier ones were caught.
    fn note_panic(&mut self, line: &str) {
        if std::mem::take(&mut self.panicked) {
            self.seen.message = Some(line.to_owned());
        }
        let thread = line.strip_prefix("thread '").and_then(|rest| rest.strip_prefix(self.test));
        self.panicked = thread.is_some_and(|rest| rest.starts_with('\'') && rest.contains(" panicked at "));
    }

    /// The error that a test returned, and what libtest says of a panic that did not come.
    fn note_remark(&mut self, line: &str) {
        if let Some(error) = line.strip_prefix("Error: ") {
            self.seen.message = Some(error.to_owned());
        } else if let Some(note) = line.strip_prefix("note: test did not panic") {
            self.seen.message = Some(format!("test did not panic{note}"));
        }
    }

    /// Takes off what libtest prints before a test that is not captured.
    fn without_name<'b>(&self, line: &'b str) -> &'b str {
        let rest = line.strip_prefix("test ").and_then(|rest| rest.strip_prefix(self.test));
        let rest = rest.map(|rest| rest.strip_prefix(" - should panic").unwrap_or(rest));
        rest.and_then(|rest| rest.strip_prefix(" ... ")).unwrap_or(line)
    }

    /// Whether a line outside the test is one that libtest prints with every test.
    fn is_libtests(&self, line: &str) -> bool {
        let of_this = |before, after| {
            line.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)) == Some(self.test)
        };
        matches!(line, "" | "ok" | "FAILED" | "failures:")
            || of_this("    ", "")
            || of_this("---- ", " stdout ----")
            || (line.starts_with("running ") && self.seen.running.is_some())
            || (line.starts_with("test result: ") && self.seen.result.is_some())
    }
}

/// The number before a word of libtest's summary.
fn count(summary: &str, word: &str) -> Option<u32> {
    let part = summary.split(['.', ';']).find_map(|part| part.trim().strip_suffix(word))?;
    part.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSED: &str =
        "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.00s";
    const FAILED: &str =
        "test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.00s";

    /// In pieces of each size, since a pipe may break them anywhere; `%` stands for a mark.
    fn read(text: &str) -> (Vec<Said>, Seen) {
        let text = text.replace('%', &child::mark("7.0"));
        let read = |size: usize| {
            let mut output = Output::new("a::b", "7.0");
            let mut said: Vec<Said> =
                text.as_bytes().chunks(size).flat_map(|piece| output.feed(piece)).collect();
            let (last, seen) = output.finish();
            said.extend(last);
            (said, seen)
        };
        let whole = read(text.len());
        for size in [1, 2, 7, 64] {
            assert_eq!(read(size), whole);
        }
        whole
    }

    fn lines(texts: &[&str]) -> Vec<Said> {
        texts.iter().map(|text| Said::Line((*text).to_owned())).collect()
    }

    #[test]
    fn the_tests_own_lines_are_told_from_libtests() {
        let (said, seen) = read(&format!(
            "\nrunning 1 test\ntest a::b ... of the way here\n%begin\none\n\nrunning 2 tests\n{FAILED}\nö%end\nok\n\n{PASSED}\n\n"
        ));
        assert_eq!(said, lines(&["one", "", "running 2 tests", FAILED, "ö"]));
        assert_eq!(seen, Seen { running: Some(1), began: true, result: Some((1, 0)), message: None });
    }

    #[test]
    fn a_failure_is_said_with_the_last_panic_of_the_tests_thread() {
        let (said, seen) = read(&format!(
            "\nrunning 1 test\ntest a::b ... %begin\n\nthread 'a::b' (9) panicked at src/x.rs:1:2:\ncaught\n\
             thread 'a::b' (9) panicked at src/x.rs:3:4:\nbad\nthread 'a::bc' panicked at src/x.rs:5:6:\nother\n\
             %end\nFAILED\n\nfailures:\n\nfailures:\n    a::b\n\n{FAILED}\n\n"
        ));
        assert_eq!(seen.message.as_deref(), Some("bad"));
        assert_eq!((said.len(), seen.result), (7, Some((0, 1))));
    }

    #[test]
    fn an_error_and_a_missing_panic_are_said_after_the_test() {
        let (said, seen) =
            read(&format!("%begin\nError: not this\n%end\nError: \"bad\"\nFAILED\n{FAILED}\n"));
        assert_eq!(said, lines(&["Error: not this", "Error: \"bad\""]));
        assert_eq!(seen.message.as_deref(), Some("\"bad\""));

        let note = "note: test did not panic as expected at src/x.rs:1:2";
        let (said, seen) =
            read(&format!("%begin\n%end\nFAILED\n\nfailures:\n\n---- a::b stdout ----\n{note}\n{FAILED}\n"));
        assert_eq!(said, lines(&[note]));
        assert_eq!(seen.message.as_deref(), Some("test did not panic as expected at src/x.rs:1:2"));
    }

    #[test]
    fn what_came_before_the_test_is_shown_when_the_test_never_came() {
        let (said, seen) = read(&format!(
            "\nrunning 1 test\ntest a::b - should panic ... early\nmore\nFAILED\n\n{FAILED}\n"
        ));
        assert_eq!(said, lines(&["early", "more"]));
        assert_eq!(seen, Seen { running: Some(1), began: false, result: Some((0, 1)), message: None });

        let (said, seen) = read("what is this?\nrunning late\n");
        assert_eq!(said, lines(&["what is this?", "running late"]));
        assert_eq!(seen, Seen::default());
    }

    #[test]
    fn marks_are_found_within_lines_and_others_marks_are_text() {
        let (said, seen) = read("%begin\nhalf %aloud\nloud\n%quiet\n%body\nx\n\u{1e}8.0 end\n");
        let mut expected = lines(&["half "]);
        expected.extend([Said::Aloud("loud".into()), Said::BodyBegins]);
        expected.extend(lines(&["x", "\u{1e}8.0 end"]));
        assert_eq!(said, expected);
        assert_eq!(seen, Seen { began: true, ..Seen::default() });
    }
}
