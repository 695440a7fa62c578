//! The text of a threshold, from which it can be read again.

use std::fmt;

use super::value::decimal;
use super::{Figure, Relation, Rule, Threshold, Time, WARN};

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Percentile(percent) => return write!(f, "p{}", decimal(*percent)),
            Self::Mean => "mean",
            Self::Max => "max",
            Self::Errors => "errors",
            Self::Dropped => "dropped",
            Self::Unfinished => "unfinished",
            Self::Rate => "rate",
            Self::Achieved => "achieved",
            Self::Lost => "lost",
            Self::Duplicates => "duplicates",
            Self::Reordered => "reordered",
            Self::RssGrowth => "rss_growth",
            Self::PeakHeap => "peak_heap",
        })
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Response => "response",
            Self::Service => "service",
            Self::Lag => "lag",
            Self::Delivery => "delivery",
            Self::SetUp => "set-up",
        })
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::Above => ">",
        })
    }
}

impl Rule {
    /// `service p99`.
    pub(super) fn subject(&self) -> String {
        self.time.map_or(String::new(), |time| format!("{time} ")) + &self.figure.to_string()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.subject(), self.relation, self.limit.exact())?;
        if let Some(name) = &self.name {
            write!(f, " for {name}")?;
        }
        if self.warn == WARN { Ok(()) } else { write!(f, " warn {}%", decimal(self.warn * 100.0)) }
    }
}

/// As text that can be read again.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(rule) => rule.fmt(f),
            Err(unreadable) => f.write_str(&unreadable.text),
        }
    }
}

impl fmt::Debug for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Threshold({self})")
    }
}
