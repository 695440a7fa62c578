//! A report as Markdown, as GitHub shows it.

mod escape;

use std::fmt::Write as _;

use super::Plot;
use super::model::{Block, Item, Model, Section, Table, Tone};
use escape::{cell, fence, prose};

/// What a comment on GitHub may have, in characters; bytes are never fewer.
pub(super) const COMMENT: usize = 65_536;
/// What the summary of a job's step may have, in bytes.
pub(super) const SUMMARY: usize = 1 << 20;
/// Of these, as much is kept for saying what was left out.
const SPARE: usize = 512;
/// A text longer than this is left to the other outputs.
const LONGEST_WHOLE: usize = 16_000;

/// Whether plots are files beside the text; GitHub shows none that are within it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pictures {
    Beside,
    None,
}

/// Writes the report in at most so many bytes: of a part that is too long, its end is left out, or all of it, and it says so.
pub(super) fn render(model: &Model, pictures: Pictures, most: usize) -> String {
    let most = most.saturating_sub(SPARE);
    let mut text = format!("# {}\n", prose(&model.title));
    let mut left_out = Vec::new();
    for part in &model.sections {
        let written = section(part, pictures);
        let heading = part.heading.as_deref().unwrap_or("the outcome");
        if text.len() + written.len() <= most {
            text.push_str(&written);
        } else if let Some(shorter) = within(&written, most.saturating_sub(text.len())) {
            text.push_str(shorter);
            left_out.push(format!("the rest of {}", escape::shortened(heading)));
        } else {
            left_out.push(escape::shortened(heading));
        }
    }
    if !left_out.is_empty() {
        let more = left_out.len().saturating_sub(4);
        left_out.truncate(4);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let _ = write!(text, "\n_Left out for its length: {}{more}._\n", left_out.join(", "));
    }
    text
}

/// As many whole paragraphs, tables and lists as there is room for; `None` where that is nothing but the heading. What is folded
/// away is not cut open.
fn within(written: &str, room: usize) -> Option<&str> {
    let mut room = room.min(written.len());
    while !written.is_char_boundary(room) {
        room -= 1;
    }
    let mut end = written[..room].rfind("\n\n")?;
    let open = |end: usize| {
        written[..end].matches("<details>").count() > written[..end].matches("</details>").count()
    };
    while open(end) {
        end = written[..end].rfind("\n\n")?;
    }
    let fences = written[..end].matches("\n```").count();
    (written[..end].trim().contains("\n\n") && fences.is_multiple_of(2)).then(|| &written[..=end])
}

fn section(section: &Section, pictures: Pictures) -> String {
    let mut text = String::new();
    if let Some(heading) = &section.heading {
        let _ = write!(text, "\n## {}\n", prose(heading));
    }
    for block in &section.blocks {
        show(&mut text, block, pictures);
    }
    text
}

fn show(text: &mut String, block: &Block, pictures: Pictures) {
    let _ = match block {
        Block::Heading(words) => writeln!(text, "\n### {}", prose(words)),
        Block::Paragraph(words) => writeln!(text, "\n{}", prose(words)),
        Block::Items(items) => writeln!(text, "\n{}", items.iter().map(item).collect::<Vec<_>>().join("\n")),
        Block::Table(table) => writeln!(text, "\n{}", show_table(table)),
        Block::Commands(lines) => writeln!(text, "\n{}", fence(&lines.join("\n"), "sh")),
        Block::Whole { title, text: whole } if whole.len() <= LONGEST_WHOLE => {
            let (title, whole) = (super::words::escaped(title), fence(whole, "text"));
            writeln!(text, "\n<details><summary>{title}</summary>\n\n{whole}\n\n</details>")
        }
        Block::Plot(plot) if pictures == Pictures::Beside => writeln!(text, "\n{}", picture(plot)),
        Block::Whole { .. } | Block::Plot(_) => Ok(()),
    };
}

fn picture(plot: &Plot) -> String {
    format!("![{}]({}.svg)", prose(&plot.title), plot.name)
}

fn item(item: &Item) -> String {
    let mark = item.mark.map(|mark| format!("**{mark}**: ")).unwrap_or_default();
    format!("- {mark}{}", prose(&item.text))
}

/// The table, its legend, and what is to be said of its rows.
fn show_table(table: &Table) -> String {
    let line =
        |cells: &mut dyn Iterator<Item = String>| format!("| {} |", cells.collect::<Vec<_>>().join(" | "));
    let titles = line(&mut table.columns.iter().map(|column| cell(&column.title)));
    let rule = line(&mut table.columns.iter().map(|column| if column.words { ":--" } else { "--:" }.into()));
    let bold = |place: usize, tone| place > 0 && place + 1 == table.columns.len() && tone != Tone::Plain;
    let rows = table.rows.iter().map(|row| {
        let marked = |(place, text): (usize, &String)| {
            let words = table.columns.get(place).is_some_and(|column| column.words);
            if words && bold(place, row.tone) { format!("**{}**", cell(text)) } else { cell(text) }
        };
        line(&mut row.cells.iter().enumerate().map(marked))
    });
    let mut parts = vec![[titles, rule].into_iter().chain(rows).collect::<Vec<_>>().join("\n")];
    parts.extend(table.legend.as_ref().map(|legend| format!("_{}_", prose(legend))));
    let note = |row: &super::model::Row| {
        let note = row.note.as_ref()?;
        Some(format!("- {}: {}", cell(row.cells.first()?), prose(note)))
    };
    let notes: Vec<_> = table.rows.iter().filter_map(note).collect();
    parts.extend((!notes.is_empty()).then(|| notes.join("\n")));
    parts.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(blocks: usize) -> Model {
        let mut section = Section::new("Long");
        (0..blocks).for_each(|_| section.say("é".repeat(500)));
        let mut last = Section::new("Last");
        last.blocks.push(Block::Whole { title: "whole".into(), text: "```\n\nx\n".into() });
        Model { title: "title".into(), tone: Tone::Plain, sections: vec![section, last] }
    }

    #[test]
    fn what_is_too_long_is_left_out_and_said() {
        let mut model = long(100);
        let text = render(&model, Pictures::None, COMMENT);
        assert!(text.ends_with("\n_Left out for its length: the rest of Long._\n"));
        assert!(text.contains("## Last"), "there is room for it");
        model.sections[1].blocks.extend(long(100).sections.remove(0).blocks);
        let text = render(&model, Pictures::None, COMMENT);
        assert!(text.len() < COMMENT && text.len() > COMMENT - 2000, "{}", text.len());
        assert!(
            text.ends_with("\n_Left out for its length: the rest of Long, Last._\n"),
            "{}",
            &text[text.len() - 99..]
        );
        let all = render(&long(1), Pictures::None, COMMENT);
        assert!(all.contains("## Last") && !all.contains("Left out"), "{all}");
    }

    #[test]
    fn what_is_folded_away_is_whole_or_absent() {
        let model = long(1);
        for most in 0..3000 {
            let text = render(&model, Pictures::None, most);
            assert_eq!(text.matches("<details>").count(), text.matches("</details>").count(), "{text}");
        }
    }
}
