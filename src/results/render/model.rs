//! What a report says, before it is known where it is shown: terminal, Markdown and HTML are made from this one model.

use super::Plot;
use super::sections;
use crate::results::document::{Outcome, Results};

/// A report.
pub(super) struct Model {
    pub(super) title: String,
    pub(super) tone: Tone,
    pub(super) sections: Vec<Section>,
}

/// A part of it; the first one has no heading.
#[derive(Default)]
pub(super) struct Section {
    pub(super) heading: Option<String>,
    pub(super) blocks: Vec<Block>,
}

pub(super) enum Block {
    /// The heading of what follows, within a section.
    Heading(String),
    Paragraph(String),
    Items(Vec<Item>),
    Table(Table),
    /// Lines for a shell.
    Commands(Vec<String>),
    /// A text with lines of its own: shown where it can be folded away, so not in a terminal.
    Whole {
        title: String,
        text: String,
    },
    /// Shown where pictures can be.
    Plot(Plot),
}

pub(super) struct Item {
    /// What sort of item it is, in a word.
    pub(super) mark: Option<&'static str>,
    pub(super) tone: Tone,
    pub(super) text: String,
}

pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
    /// What its signs mean.
    pub(super) legend: Option<String>,
}

pub(super) struct Column {
    pub(super) title: String,
    /// Whether it holds words; figures stand to the right.
    pub(super) words: bool,
}

pub(super) struct Row {
    pub(super) cells: Vec<String>,
    /// What stands below the cells.
    pub(super) note: Option<String>,
    pub(super) tone: Tone,
}

/// How good something is, where there are colours for it; the words say it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    Warn,
    Bad,
}

impl Model {
    pub(super) fn of(results: &Results, outcome: Outcome) -> Self {
        let mut all = vec![sections::head(results, outcome), sections::summary(results)];
        all.extend(sections::comparisons(results));
        all.extend(results.sweep.iter().map(|sweep| sections::sweep(&results.title, sweep)));
        all.extend(sections::records(results));
        all.extend([sections::setting(results), sections::commands(results)]);
        all.retain(|section| !section.blocks.is_empty());
        Self { title: results.title.clone(), tone: Tone::of(outcome), sections: all }
    }
}

impl Section {
    pub(super) fn new(heading: impl Into<String>) -> Self {
        Self { heading: Some(heading.into()), blocks: Vec::new() }
    }

    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Paragraph(text.into()));
    }

    pub(super) fn head(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Heading(text.into()));
    }

    /// Adds a table, unless it is empty.
    pub(super) fn table(&mut self, table: Table) {
        if !table.rows.is_empty() {
            self.blocks.push(Block::Table(table));
        }
    }

    /// Adds a list, unless it is empty.
    pub(super) fn items(&mut self, items: Vec<Item>) {
        if !items.is_empty() {
            self.blocks.push(Block::Items(items));
        }
    }

    pub(super) fn plots(&mut self, plots: impl IntoIterator<Item = Plot>) {
        self.blocks.extend(plots.into_iter().map(Block::Plot));
    }
}

impl Item {
    pub(super) fn marked(mark: &'static str, tone: Tone, text: impl Into<String>) -> Self {
        Self { mark: Some(mark), tone, text: text.into() }
    }
}

impl Table {
    /// Columns by their titles; those that begin with `<` hold words, as does the first.
    pub(super) fn new<S: AsRef<str>>(titles: impl IntoIterator<Item = S>) -> Self {
        let column = |(place, title): (usize, S)| {
            let (words, title) = match title.as_ref().strip_prefix('<') {
                Some(title) => (true, title),
                None => (place == 0, title.as_ref()),
            };
            Column { title: title.into(), words }
        };
        Self { columns: titles.into_iter().enumerate().map(column).collect(), rows: Vec::new(), legend: None }
    }

    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(Row { cells, note: None, tone: Tone::Plain });
    }

    /// Says what `-` means, where there is one.
    pub(super) fn explained(mut self) -> Self {
        let absent = self.rows.iter().any(|row| row.cells.iter().any(|cell| cell == super::words::ABSENT));
        if absent && self.legend.is_none() {
            self.legend = Some(format!("{}: not measured", super::words::ABSENT));
        }
        self
    }
}

impl Tone {
    pub(super) fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::Good,
            Outcome::Warned | Outcome::Inconclusive => Self::Warn,
            Outcome::Failed => Self::Bad,
        }
    }
}
