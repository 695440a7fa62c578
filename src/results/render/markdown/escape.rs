//! Texts that Markdown must take as they are.

use super::super::words;

/// A text within a paragraph, a list or a heading.
pub(super) fn prose(text: &str) -> String {
    let line = words::one_line(text);
    let line = line.trim();
    let mut safe = String::with_capacity(line.len());
    let mut before = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // A person of that name would be told of it.
            '@' if is_word(chars.peek().copied()) => safe.push_str("@<!-- -->"),
            // Within a word it means nothing.
            '_' if is_word(before) && is_word(chars.peek().copied()) => safe.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => safe.extend(['\\', c]),
            // A list or a heading, at the beginning of a line.
            '#' | '-' | '+' | '=' if before.is_none() => safe.extend(['\\', c]),
            '.' | ')' if chars.peek() == Some(&' ') && is_number(&safe) => safe.extend(['\\', c]),
            c => safe.push(c),
        }
        before = Some(c);
    }
    safe
}

/// A text in a cell of a table, where no list or heading begins.
pub(super) fn cell(text: &str) -> String {
    let safe = prose(text);
    match safe.strip_prefix('\\') {
        Some(rest) if rest.starts_with(['#', '-', '+', '=']) => rest.into(),
        _ => safe,
    }
}

pub(super) fn shortened(text: &str) -> String {
    prose(&words::shortened(text, 60))
}

/// Lines as they are, within a fence that is longer than any in them.
pub(super) fn fence(text: &str, language: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let marks = "`".repeat(runs.max(2) + 1);
    let lines: Vec<_> = text.trim_end().lines().map(words::one_line).collect();
    format!("{marks}{language}\n{}\n{marks}", lines.join("\n"))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(prose("<script>|\"a,b\"`*x*_y_[z](u)"), r#"&lt;script&gt;\|"a,b"\`\*x\*\_y\_\[z\](u)"#);
        assert_eq!(prose("peak_heap costs $1 ~ 2\nnext"), r"peak_heap costs \$1 \~ 2 next");
        assert_eq!(prose("@owner &amp;"), "@<!-- -->owner &amp;amp;");
        assert_eq!(
            [prose("# a"), prose("- b"), prose("12. c"), prose("-")],
            [r"\# a", r"\- b", r"12\. c", r"\-"]
        );
        assert_eq!(prose("1.5 ms"), "1.5 ms");
        assert_eq!([cell("-"), cell("-1 %"), cell("*")], ["-", "-1 %", r"\*"]);
    }

    #[test]
    fn a_fence_holds_fences() {
        assert_eq!(fence("a\n````\nb\n", "sh"), "`````sh\na\n````\nb\n`````");
    }
}
