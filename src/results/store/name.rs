//! Names of the files that runs are kept in.

use std::fmt;

use super::super::time::Moment;

/// `20261121T173210Z-1f5a489aabbc-quick-2.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunName {
    pub(super) taken: Moment,
    pub(super) commit: Option<String>,
    pub(super) quick: bool,
    /// From 1, which is not written: the how manieth of its second.
    pub(super) number: u32,
}

impl RunName {
    /// `None` for what is no run's name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".json")?.split('-');
        let taken = parts.next()?.parse().ok()?;
        let commit = parts.next()?;
        let mut rest = parts.peekable();
        let quick = rest.next_if_eq(&"quick").is_some();
        let number = rest.next().map_or(Some(1), |number| number.parse().ok())?;
        let run = Self { taken, commit: (commit != "none").then(|| commit.to_owned()), quick, number };
        // Whatever else there is, and each other way to write the same, is not ours.
        (run.to_string() == name).then_some(run)
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.taken.compact(), self.commit.as_deref().unwrap_or("none"))?;
        if self.quick {
            f.write_str("-quick")?;
        }
        if self.number > 1 {
            write!(f, "-{}", self.number)?;
        }
        f.write_str(".json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back() {
        let run = RunName { taken: Moment(1_234_567_890), commit: None, quick: false, number: 1 };
        let quick = RunName { commit: Some("1f5a489aabbc".into()), quick: true, number: 12, ..run.clone() };
        assert_eq!(run.to_string(), "20090213T233130Z-none.json");
        assert_eq!(quick.to_string(), "20090213T233130Z-1f5a489aabbc-quick-12.json");
        for run in [run, quick] {
            assert_eq!(RunName::parse(&run.to_string()), Some(run));
        }
    }

    #[test]
    fn other_names_are_no_runs() {
        for name in [
            "README.md",
            "results.json",
            ".unfinished-1-0-0",
            "20090213T233130Z.json",
            "20090213T233130Z-none-1.json",
            "20090213T233130Z-none-02.json",
            "20090213T233130Z-none-2-3.json",
            "20090213T233130Z-none-x.json",
            "2009-02-13T23:31:30Z-none.json",
        ] {
            assert_eq!(RunName::parse(name), None, "{name}");
        }
    }
}
