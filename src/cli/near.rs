//! What a misspelled word may have meant.

/// The words that take no more than two changes of a letter to be this one, or begin with it; the nearest first.
pub(super) fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let distance = |known: &str| match known.starts_with(word) && !word.is_empty() {
        true => 0,
        false => changes(word, known),
    };
    let mut found: Vec<_> = known.into_iter().map(|known| (distance(known), known)).collect();
    found.retain(|(distance, known)| *distance <= 2 && *distance < known.chars().count());
    found.sort(); // equally near ones by name
    found.into_iter().map(|(_, known)| known).collect()
}

/// `` (did you mean `a` or `b`?) ``, with the blank before it; empty where nothing is near.
pub(super) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let found: Vec<_> = near(word, known).into_iter().map(|word| format!("`{word}`")).collect();
    match &found[..] {
        [] => String::new(),
        found => format!(" (did you mean {}?)", found.join(" or ")),
    }
}

/// How many letters have to be put in, taken out or replaced (Levenshtein).
fn changes(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, from) in from.chars().enumerate() {
        let mut corner = row[0];
        row[0] = line + 1;
        for (column, to) in to.iter().enumerate() {
            let replaced = corner + usize::from(from != *to);
            corner = row[column + 1];
            row[column + 1] = replaced.min(corner + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted() {
        for (from, to, count) in
            [("kitten", "sitting", 3), ("", "ab", 2), ("ab", "", 2), ("flaw", "lawn", 2), ("a", "a", 0)]
        {
            assert_eq!(changes(from, to), count, "{from} {to}");
        }
    }

    #[test]
    fn what_is_near_is_named_and_nothing_else() {
        let known = ["report", "compare", "clean", "list"];
        assert_eq!(near("reprot", known), ["report"]);
        assert_eq!(near("c", known), ["clean", "compare"]);
        assert_eq!(hint("lost", known), " (did you mean `list`?)");
        assert_eq!(hint("benchmark", known), "");
        assert_eq!(hint("", ["a", "ab"]), "");
    }
}
