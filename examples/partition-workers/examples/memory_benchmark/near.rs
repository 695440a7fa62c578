//! What a misspelled option may have meant.

/// The known word that takes the fewest changes of a letter, if these are few.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let nearest = known.iter().min_by_key(|known| changes(word, known))?;
    (changes(word, nearest) <= nearest.len() / 3).then_some(nearest)
}

/// How many letters have to be put in, taken out or replaced (Levenshtein), one row at a time.
fn changes(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (above, from) in from.chars().enumerate() {
        let mut corner = row[0];
        row[0] = above + 1;
        for (column, to) in to.chars().enumerate() {
            let replaced = corner + usize::from(from != to);
            corner = row[column + 1];
            row[column + 1] = replaced.min(corner + 1).min(row[column] + 1);
        }
    }
    row[row.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_named_and_nothing_else() {
        let known = ["--quick", "--only", "--repeats", "--report-file"];
        for (word, expected) in [
            ("--quik", Some("--quick")),
            ("--repeat", Some("--repeats")),
            ("--reportfile", Some("--report-file")),
            ("--verbose", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, &known), expected, "{word}");
        }
    }
}
