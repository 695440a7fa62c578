//! Whether a text is well-formed XML, as far as our plots use it.

/// Says what is not.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        references(&rest[..start])?;
        let end = rest[start..].find('>').ok_or("a tag has no end")? + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let last = open.pop();
            (last == Some(name)).then_some(()).ok_or(format!("`{name}` ends where {last:?} is open"))?;
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes_text) = tag.split_once(' ').unwrap_or((tag, ""));
        attributes(attributes_text).map_err(|why| format!("`{tag}`: {why}"))?;
        if !closed {
            open.push(name);
        }
    }
    references(rest)?;
    open.is_empty().then_some(()).ok_or(format!("{open:?} have no end"))
}

fn attributes(mut text: &str) -> Result<(), String> {
    let mut seen = Vec::new();
    while !text.trim().is_empty() {
        let (name, rest) = text.trim_start().split_once("=\"").ok_or("an attribute has no value")?;
        let (value, rest) = rest.split_once('"').ok_or("a value has no end")?;
        references(value)?;
        let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        (named && !seen.contains(&name))
            .then_some(())
            .ok_or(format!("`{name}` is no name, or there twice"))?;
        seen.push(name);
        text = rest;
    }
    Ok(())
}

fn references(text: &str) -> Result<(), String> {
    let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
    let broken = text.split('&').skip(1).find(|rest| !known.iter().any(|name| rest.starts_with(name)));
    broken.map_or(Ok(()), |rest| Err(format!("a bare & before `{rest}`")))
}

#[test]
fn what_is_broken_is_found() {
    assert_eq!(check("<a b=\"1\"><c/>&amp;</a>"), Ok(()));
    for text in
        ["<a>", "</a>", "<a></b>", "<a b=1/>", "<a b=\"1\" b=\"2\"/>", "<a>&b</a>", "<a b=\"&\"/>", "<a"]
    {
        assert!(check(text).is_err(), "{text}");
    }
}
