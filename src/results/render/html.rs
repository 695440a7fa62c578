//! A report as one page: no script, and nothing that is not in it.

use std::fmt::Write as _;

use super::model::{Block, Item, Model, Row, Section, Table, Tone};
use super::words::{escaped, one_line};

const STYLE: &str = include_str!("page.css");

pub(super) fn render(model: &Model) -> String {
    let title = escaped(&one_line(&model.title));
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    );
    for (place, part) in model.sections.iter().enumerate() {
        let outcome = if place == 0 { tone(model.tone) } else { "" };
        section(&mut text, part, outcome);
    }
    text += "</main>\n</body>\n</html>\n";
    text
}

fn section(text: &mut String, section: &Section, class: &str) {
    let _ = writeln!(text, "<section{class}>");
    if let Some(heading) = &section.heading {
        let _ = writeln!(text, "<h2>{}</h2>", escaped(heading));
    }
    for block in &section.blocks {
        show(text, block);
    }
    *text += "</section>\n";
}

fn show(text: &mut String, block: &Block) {
    let _ = match block {
        Block::Heading(words) => writeln!(text, "<h3>{}</h3>", escaped(words)),
        Block::Paragraph(words) => writeln!(text, "<p>{}</p>", escaped(words)),
        Block::Items(items) => {
            writeln!(text, "<ul>\n{}</ul>", items.iter().map(item).collect::<String>())
        }
        Block::Table(table) => writeln!(text, "{}", show_table(table)),
        Block::Commands(lines) => writeln!(text, "<pre>{}</pre>", escaped(&lines.join("\n"))),
        Block::Whole { title, text: whole } => {
            let (title, whole) = (escaped(title), escaped(whole.trim_end()));
            writeln!(text, "<details><summary>{title}</summary>\n<pre>{whole}</pre>\n</details>")
        }
        // The plot is XML with all of its texts escaped; its title is within.
        Block::Plot(plot) => writeln!(text, "<figure>\n{}</figure>", plot.svg),
    };
}

fn item(item: &Item) -> String {
    let mark = item.mark.map(|mark| format!("<b>{mark}</b>: ")).unwrap_or_default();
    format!("<li{}>{mark}{}</li>\n", tone(item.tone), escaped(&item.text))
}

fn show_table(table: &Table) -> String {
    let mut text = String::from("<div class=\"wide\"><table>\n");
    if let Some(legend) = &table.legend {
        let _ = writeln!(text, "<caption>{}</caption>", escaped(legend));
    }
    let title = |column: &super::model::Column| {
        format!("<th scope=\"col\"{}>{}</th>", words(column.words), escaped(&column.title))
    };
    let titles: String = table.columns.iter().map(title).collect();
    let _ = writeln!(text, "<thead><tr>{titles}</tr></thead>\n<tbody>");
    for entry in &table.rows {
        text += &row(table, entry);
    }
    text + "</tbody>\n</table></div>"
}

fn row(table: &Table, row: &Row) -> String {
    let cell = |(place, cell): (usize, &String)| {
        let class = words(table.columns.get(place).is_none_or(|column| column.words));
        match place {
            0 => format!("<th scope=\"row\"{class}>{}</th>", escaped(cell)),
            _ => format!("<td{class}>{}</td>", escaped(cell)),
        }
    };
    let cells: String = row.cells.iter().enumerate().map(cell).collect();
    let mut text = format!("<tr{}>{cells}</tr>\n", tone(row.tone));
    if let Some(note) = &row.note {
        let columns = table.columns.len();
        let note = escaped(note);
        let _ = writeln!(text, "<tr class=\"note\"><td colspan=\"{columns}\">{note}</td></tr>");
    }
    text
}

fn words(words: bool) -> &'static str {
    if words { " class=\"words\"" } else { "" }
}

fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "",
        Tone::Good => " class=\"good\"",
        Tone::Warn => " class=\"warn\"",
        Tone::Bad => " class=\"bad\"",
    }
}
