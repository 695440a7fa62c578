//! A report as plain text, in at most 100 columns.

use super::model::{Block, Item, Model, Table};
use super::words::one_line;

/// Columns of the whole.
const WIDTH: usize = 100;
/// Before everything below a heading.
const INDENT: usize = 2;
/// Between two columns of a table.
const GAP: usize = 2;
/// A column is not made narrower than this to let others be wide.
const NARROWEST: usize = 6;
/// The same of one with words, as long as that is enough.
const NARROWEST_WORDS: usize = 16;

pub(super) fn render(model: &Model) -> String {
    let mut text = String::new();
    wrapped(&mut text, "", &model.title);
    for section in &model.sections {
        if let Some(heading) = &section.heading {
            text.push('\n');
            wrapped(&mut text, "", heading);
        }
        for (place, block) in section.blocks.iter().enumerate() {
            let apart = place > 0 && matches!(block, Block::Heading(_) | Block::Table(_));
            text.push_str(if apart { "\n" } else { "" });
            show(&mut text, block);
        }
    }
    text
}

fn show(text: &mut String, block: &Block) {
    match block {
        Block::Heading(words) | Block::Paragraph(words) => wrapped(text, "  ", words),
        Block::Items(items) => items.iter().for_each(|entry| item(text, entry)),
        Block::Table(table) => show_table(text, table),
        Block::Commands(lines) => {
            for line in lines {
                text.push_str("  ");
                text.push_str(&one_line(line));
                text.push('\n');
            }
        }
        Block::Whole { .. } | Block::Plot(_) => {}
    }
}

fn item(text: &mut String, item: &Item) {
    let mark = item.mark.map(|mark| format!("{mark}: ")).unwrap_or_default();
    wrapped_at(text, "  - ", 4, &format!("{mark}{}", item.text));
}

fn wrapped(text: &mut String, before: &str, words: &str) {
    wrapped_at(text, before, before.len(), words);
}

/// Words in lines, after what stands before the first; the others are indented.
fn wrapped_at(text: &mut String, before: &str, indent: usize, words: &str) {
    for (place, line) in fold(words, WIDTH - indent).into_iter().enumerate() {
        let start = if place == 0 { before.to_owned() } else { " ".repeat(indent) };
        text.push_str(format!("{start}{line}").trim_end());
        text.push('\n');
    }
}

/// Cuts a text into lines of at most `width` columns: between words, or within one that is longer.
fn fold(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut column = 0;
    for word in one_line(text).split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        if column > 0 && column + 1 + word.len() > width {
            lines.push(String::new());
            column = 0;
        }
        while column == 0 && word.len() > width {
            let rest = word.split_off(width);
            lines.last_mut().into_iter().for_each(|line| line.extend(&word));
            lines.push(String::new());
            word = rest;
        }
        let line = lines.last_mut().into_iter();
        let space = if column > 0 { " " } else { "" };
        line.for_each(|line| line.extend(space.chars().chain(word.iter().copied())));
        column += space.len() + word.len();
    }
    lines
}

fn show_table(text: &mut String, table: &Table) {
    let widths = widths(table);
    let titles: Vec<_> = table.columns.iter().map(|column| column.title.clone()).collect();
    row(text, table, &widths, &titles);
    let rule: usize = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    text.extend([" ".repeat(INDENT), "-".repeat(rule), "\n".into()]);
    for entry in &table.rows {
        row(text, table, &widths, &entry.cells);
        entry.note.iter().for_each(|note| wrapped(text, "      ", note));
    }
    table.legend.iter().for_each(|legend| wrapped_at(text, "  (", 3, &format!("{legend})")));
}

/// What the columns need; where that is too much together, the widest with words give way, and then those with figures.
fn widths(table: &Table) -> Vec<usize> {
    let needs = |(place, column): (usize, &super::model::Column)| {
        let cells = table.rows.iter().filter_map(|row| row.cells.get(place));
        let all = cells.chain([&column.title]);
        all.map(|cell| one_line(cell).trim().chars().count()).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = table.columns.iter().enumerate().map(needs).collect();
    let room = (WIDTH - INDENT).saturating_sub(GAP * widths.len().saturating_sub(1));
    for words in [true, false] {
        while widths.iter().sum::<usize>() > room {
            let given = widths.iter_mut().zip(&table.columns).filter(|(_, column)| column.words || !words);
            let least = if words { NARROWEST_WORDS } else { NARROWEST };
            match given.map(|(width, _)| width).max() {
                Some(widest) if *widest > least => *widest -= 1,
                _ => break,
            }
        }
    }
    widths
}

/// One row, of as many lines as its longest cell needs.
fn row(text: &mut String, table: &Table, widths: &[usize], cells: &[String]) {
    let folded: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| fold(cell, *width)).collect();
    for line in 0..folded.iter().map(Vec::len).max().unwrap_or(0) {
        let mut out = " ".repeat(INDENT);
        for ((place, cell), width) in folded.iter().enumerate().zip(widths) {
            let part = cell.get(line).map_or("", String::as_str);
            let fill = " ".repeat(width.saturating_sub(part.chars().count()));
            let words = table.columns.get(place).is_none_or(|column| column.words);
            let gap = " ".repeat(if place > 0 { GAP } else { 0 });
            out.extend(if words { [&gap, part, &fill] } else { [&gap, &fill, part] });
        }
        text.push_str(out.trim_end());
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_words_and_only_then_within() {
        assert_eq!(fold("ab cd ef", 5), ["ab cd", "ef"]);
        assert_eq!(fold("a bcdefgh i", 3), ["a", "bcd", "efg", "h i"]);
        assert_eq!(fold("", 3), [""]);
    }

    #[test]
    fn a_wide_table_keeps_every_letter_within_its_columns() {
        let mut table = Table::new(["name", "<one", "two"]);
        table.row(vec!["n".repeat(90), "word ".repeat(20), "2".into()]);
        let mut text = String::new();
        show_table(&mut text, &table);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.matches('n').count(), 90 + 2, "{text}"); // those of `name` and `one` are the two
        assert_eq!(text.matches("word").count(), 20, "{text}");
    }
}
