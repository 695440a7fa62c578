//! Recovery as a few lines of text.

use std::fmt;
use std::time::Duration;

use super::{Outage, Recovery, Steady};
use crate::memory::text;

fn at(moment: Duration) -> String {
    format!("{:.2} s", moment.as_secs_f64())
}

impl fmt::Display for Steady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}/s", self.succeeded_per_second)?;
        for (name, time) in [("p50", self.p50), ("p99", self.p99)] {
            if let Some(time) = time {
                write!(f, ", {name} {}", text::duration(time))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} ", at(self.from))?;
        match self.until.zip(self.length()) {
            Some((until, length)) => write!(f, "to {} ({})", at(until), text::duration(length))?,
            None => f.write_str("to the end")?,
        }
        write!(f, ": {} failed", text::count(self.failed))?;
        if let Some(unserved) = self.unserved {
            write!(f, ", {} were due and not served in it", text::count(unserved))?;
        }
        if let Some(slowest) = self.slowest {
            write!(f, ", slowest {}", text::duration(slowest))?;
        }
        Ok(())
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} at {}", self.event, at(self.at))?;
        writeln!(f, "  before    {}", self.before)?;
        let Some(outage) = &self.outage else { return writeln!(f, "  no outage") };
        writeln!(f, "  outage    {outage}")?;
        let Some(again) = self.steady_again else { return writeln!(f, "  not steady again") };
        write!(f, "  recovery  steady again at {}", at(again))?;
        let times = [(self.after_outage(), "the outage"), (self.after_event(), "the event")];
        for (time, name) in times.into_iter().filter_map(|(time, name)| Some((time?, name))) {
            write!(f, ", {} after {name}", text::duration(time))?;
        }
        writeln!(f)?;
        self.after.iter().try_for_each(|after| writeln!(f, "  after     {after}"))
    }
}
