//! Which output, and where to.

use std::fs;
use std::path::{Path, PathBuf};

use super::arguments::Arguments;
use super::{Failure, Said};
use crate::results::Results;

/// One of the outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Terminal,
    Markdown,
    Json,
    Csv,
    Html,
    Svg,
}

/// What `--format` and `--output` ask for.
#[derive(Debug)]
pub(super) struct Form {
    format: Option<Format>,
    output: Option<PathBuf>,
}

const FORMATS: [(&str, Format, &str); 6] = [
    ("terminal", Format::Terminal, "report.txt"),
    ("markdown", Format::Markdown, "report.md"),
    ("json", Format::Json, "results.json"),
    ("csv", Format::Csv, "results.csv"),
    ("html", Format::Html, "report.html"),
    ("svg", Format::Svg, ""),
];

impl Form {
    pub(super) fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let read = |text: &str| FORMATS.iter().find(|(name, ..)| *name == text).map(|(_, format, _)| *format);
        let format = arguments.value("--format", "terminal, markdown, json, csv, html or svg", read)?;
        let output = arguments.path("--output");
        let is_plot = |path: &Path| path.extension().is_some_and(|extension| extension == "svg");
        if output.as_deref().is_some_and(|path| is_plot(path) && !path.is_dir()) {
            return Err(
                arguments.usage("plots are several files (give a directory: `--format svg --output DIR`)")
            );
        }
        if format == Some(Format::Svg) && output.is_none() {
            return Err(arguments.usage("plots are several files (give a directory: `--output DIR`)"));
        }
        Ok(Self { format, output })
    }

    /// Prints or writes results; `below` is the directory of theirs where there are several.
    pub(super) fn put(&self, results: &Results, below: Option<&str>, said: &mut Said) -> Result<(), Failure> {
        let Some(output) = &self.output else {
            said.out += &render(results, self.format.unwrap_or(Format::Terminal));
            return Ok(());
        };
        let output = below.map_or_else(|| output.clone(), |below| output.join(file_name(below)));
        let by_name = || below.is_none().then(|| by_extension(&output)).flatten();
        let is_directory = output.is_dir() || below.is_some() || output.to_string_lossy().ends_with('/');
        let written = match self.format.or_else(|| if output.is_dir() { None } else { by_name() }) {
            None => results.write_to(&output)?,
            Some(Format::Svg) => plots(results, &output)?,
            Some(format) if is_directory => {
                let name =
                    FORMATS.iter().find(|(_, known, _)| *known == format).map_or("report", |one| one.2);
                vec![write(&output.join(name), &render(results, format))?]
            }
            Some(format) => vec![write(&output, &render(results, format))?],
        };
        said.notes.extend(match &written[..] {
            [] => None,
            [only] => Some(format!("wrote `{}`", only.display())),
            all => Some(format!("wrote {} files into `{}`", all.len(), output.display())),
        });
        Ok(())
    }
}

fn render(results: &Results, format: Format) -> String {
    let mut text = match format {
        Format::Terminal => results.to_string(),
        Format::Markdown => results.markdown(),
        Format::Json => results.json(),
        Format::Csv => results.csv(),
        Format::Html => results.html(),
        Format::Svg => String::new(), // several files: see `plots`
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn plots(results: &Results, directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let plots = results.plots();
    if plots.is_empty() {
        let what = format!("there is no figure of `{}` that a plot could show", results.title);
        return Err(Failure::Environment(what));
    }
    let path = |name: &str| directory.join(format!("{}.svg", file_name(name)));
    plots.iter().map(|plot| write(&path(&plot.name), &plot.svg)).collect()
}

/// A single file that someone names is their own to overwrite.
fn write(path: &Path, text: &str) -> Result<PathBuf, Failure> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, text))
        .map(|()| path.to_owned())
        .map_err(|error| Failure::Environment(format!("`{}` could not be written: {error}", path.display())))
}

fn by_extension(path: &Path) -> Option<Format> {
    Some(match path.extension()?.to_str()? {
        "txt" => Format::Terminal,
        "md" => Format::Markdown,
        "json" => Format::Json,
        "csv" => Format::Csv,
        "html" | "htm" => Format::Html,
        _ => return None,
    })
}

/// Names of directories for these titles, no two alike, not even where case is none.
pub(super) fn directories<'a>(titles: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken = std::collections::BTreeSet::new();
    let name = |title: &str| {
        let name = file_name(title);
        let numbered = (2..).map(|number| format!("{name} {number}"));
        let mut all = std::iter::once(name.clone()).chain(numbered);
        all.find(|name| taken.insert(name.to_lowercase())).unwrap_or_default()
    };
    titles.map(name).collect()
}

/// A name that can be a file's anywhere.
fn file_name(text: &str) -> String {
    let fits = |letter: char| letter.is_alphanumeric() || "-_. ".contains(letter);
    let name: String = text.chars().map(|letter| if fits(letter) { letter } else { '-' }).collect();
    if name.trim_matches('.').is_empty() { "results".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_within_its_directory() {
        assert_eq!(file_name("orders of a/b::c"), "orders of a-b--c");
        assert_eq!([file_name(".."), file_name("")], ["results", "results"]);
        assert_eq!(file_name("../x"), "..-x");
    }

    #[test]
    fn no_two_titles_are_one_directory() {
        let names = directories(["a/b", "a-b", "A-B", "c"].into_iter());
        assert_eq!(names, ["a-b", "a-b 2", "A-B 3", "c"]);
    }

    #[test]
    fn the_extension_tells_the_format() {
        assert_eq!(by_extension(Path::new("a/b.html")), Some(Format::Html));
        assert_eq!(by_extension(Path::new("a.d/b")), None);
        assert_eq!(by_extension(Path::new("v1.2")), None);
    }
}
