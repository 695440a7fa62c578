//! Tables, for the terminal and as Markdown.

use std::fmt::Write as _;

/// A table with a title, and notes below it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) notes: Vec<String>,
}

impl Table {
    pub(crate) fn new(title: &str, head: &[&str]) -> Self {
        Self {
            title: title.into(),
            head: head.iter().map(|text| (*text).into()).collect(),
            ..Self::default()
        }
    }

    /// With columns as wide as they must be; all but the first are set to the right.
    pub(crate) fn text(&self) -> String {
        let all = || std::iter::once(&self.head).chain(&self.rows);
        let width = |column: usize| {
            all().filter_map(|row| row.get(column)).map(|text| text.chars().count()).max().unwrap_or(0)
        };
        let mut text = format!("{}\n", self.title);
        for row in all().filter(|row| !row.is_empty()) {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let width = width(column);
                let _ = if column == 0 {
                    write!(line, "  {cell:width$}")
                } else {
                    write!(line, "  {cell:>width$}")
                };
            }
            let _ = writeln!(text, "{}", line.trim_end());
        }
        self.notes.iter().for_each(|note| text.push_str(&format!("  {note}\n")));
        text
    }

    pub(crate) fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            format!(
                "| {} |\n",
                cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | ")
            )
        };
        let rule = self
            .head
            .iter()
            .enumerate()
            .map(|(column, _)| if column == 0 { ":--" } else { "--:" }.to_owned());
        let rule: Vec<String> = rule.collect();
        let mut text = format!("## {}\n\n", self.title);
        if !self.rows.is_empty() {
            text.push_str(&(line(&self.head) + &line(&rule)));
            self.rows.iter().for_each(|row| text.push_str(&line(row)));
            text.push('\n');
        }
        self.notes.iter().for_each(|note| text.push_str(&format!("- {note}\n")));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> Table {
        let mut table = Table::new("Figures", &["cell", "live"]);
        table.rows = vec![vec!["1w".into(), "1.5 KiB".into()], vec!["10w".into(), "-".into()]];
        table.notes = vec!["a note".into()];
        table
    }

    #[test]
    fn columns_are_aligned() {
        assert_eq!(made().text(), "Figures\n  cell     live\n  1w    1.5 KiB\n  10w         -\n  a note\n");
    }

    #[test]
    fn markdown_has_a_table_and_a_list() {
        let expected =
            "## Figures\n\n| cell | live |\n| :-- | --: |\n| 1w | 1.5 KiB |\n| 10w | - |\n\n- a note\n";
        assert_eq!(made().markdown(), expected);
    }
}
