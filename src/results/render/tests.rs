//! What is shown, to the letter: compared with the files in `expected`, which are written anew by
//! `ISOLATED_NATS_REWRITE=1 cargo test --lib results::render`. Look at them before they are committed.

mod awkward;
mod short;
mod well_formed;

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::results::document::Outcome;
use crate::results::made::{self, HOSTILE};
use well_formed::check;

fn all() -> [(&'static str, Results, Outcome); 4] {
    [
        ("sides", made::two_sides(), Outcome::Failed),
        ("sweep", made::sweep(), Outcome::Passed),
        ("bare", made::bare(), Outcome::Inconclusive),
        ("nothing", made::nothing(), Outcome::Passed),
    ]
}

/// Compares a text with the file of that name.
fn same(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/results/render/expected").join(name);
    if std::env::var_os("ISOLATED_NATS_REWRITE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    // Git may have made its own line ends of ours.
    let expected = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    let shown = text.replace("\r\n", "\n");
    let line = expected.lines().zip(shown.lines()).position(|(expected, shown)| expected != shown);
    let line = line.unwrap_or(expected.lines().count().min(shown.lines().count()));
    let shown_line = shown.lines().nth(line).unwrap_or("(its end)");
    assert!(expected == shown, "`{name}` differs from line {}, which is now:\n{shown_line}\n", line + 1);
}

#[test]
fn terminals_show_what_is_expected_in_a_hundred_columns() {
    for (name, results, outcome) in all() {
        let text = terminal::render(&Model::of(&results, outcome));
        same(&format!("{name}.txt"), &text);
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{name}");
    }
}

/// Without what is within fences, where nothing is markup.
fn unfenced(text: &str) -> String {
    text.split("\n```").step_by(2).collect()
}

#[test]
fn markdown_is_as_expected() {
    for (name, results, outcome) in all() {
        let text = markdown::render(&Model::of(&results, outcome), Pictures::Beside, markdown::COMMENT);
        same(&format!("{name}.md"), &text);
        assert!(!unfenced(&text).contains("<script") && text.len() < markdown::COMMENT);
    }
}

#[test]
fn pages_are_as_expected_and_need_nothing_else() {
    for (name, results, outcome) in all() {
        let text = html::render(&Model::of(&results, outcome));
        same(&format!("{name}.html"), &text);
        for absent in ["<script", "src=", "href=", "url(", "@import", "<link"] {
            assert!(!text.contains(absent), "{name}: {absent}");
        }
        let mut ids: Vec<_> =
            text.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{name}: an id is there twice");
    }
}

#[test]
fn samples_are_as_expected() {
    for (name, results, _) in all() {
        same(&format!("{name}.csv"), &results.csv());
    }
    let text = made::bare().csv();
    assert!(text.contains("\r\nbare,,,server rss,B,2,,,\r\n"), "absent is empty, never 0: {text}");
}

#[test]
fn plots_are_as_expected_and_well_formed() {
    let mut names = Vec::new();
    for (name, results, _) in all() {
        for plot in results.plots() {
            let file = format!("{name}-{}.svg", plot.name);
            same(&file, &plot.svg);
            check(&plot.svg).unwrap_or_else(|why| panic!("{file}: {why}"));
            assert!(!plot.svg.contains("NaN") && !plot.svg.contains("inf"), "{file}");
            names.push(file);
        }
    }
    assert_eq!(
        names,
        [
            "sides-rounds-1.svg",
            "sides-latency-distribution.svg",
            "sides-memory-over-time-1-core-nats.svg",
            "sides-load-over-time-2-script-a-b.svg",
            "sweep-figure-over-level.svg"
        ]
    );
}

#[test]
fn every_output_has_the_parts_in_the_same_order() {
    for (name, results, outcome) in all() {
        let model = Model::of(&results, outcome);
        let texts = [
            terminal::render(&model),
            markdown::render(&model, Pictures::None, markdown::COMMENT),
            html::render(&model),
        ];
        for text in texts {
            let mut from = 0;
            for heading in model.sections.iter().filter_map(|section| section.heading.as_deref()) {
                let heading = heading.split('<').next().unwrap_or(heading);
                let at = text[from..].find(heading);
                from += at.unwrap_or_else(|| panic!("{name}: {heading} is not after what is before"));
            }
        }
    }
}

/// A directory that is removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let name = format!("isolated-nats-render-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn files_are_written_and_written_again() {
    let directory = Directory::new("written");
    let within = directory.0.join("a/b");
    let results = made::two_sides();
    for _ in 0..2 {
        let paths = files::write_all(&results, Outcome::Failed, "{}", &within).unwrap();
        let names: Vec<_> = paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names[..5], ["report.md", "report.html", "results.json", "results.csv", "rounds-1.svg"]);
        assert_eq!(fs::read_dir(&within).unwrap().count(), paths.len(), "nothing else is left there");
        let report = fs::read_to_string(within.join("report.md")).unwrap();
        for name in names.iter().filter(|name| name.ends_with(".svg")) {
            assert!(report.contains(&format!("]({name})")), "{name}");
        }
    }
}

#[test]
fn what_cannot_be_written_is_named() {
    let directory = Directory::new("refused");
    fs::create_dir_all(&directory.0).unwrap();
    let file = directory.0.join("file");
    fs::write(&file, "").unwrap();
    let error = files::write_all(&made::bare(), Outcome::Passed, "{}", &file.join("below")).unwrap_err();
    assert_eq!(error.kind(), crate::results::ResultsErrorKind::File);
    let text = error.to_string();
    assert!(text.contains(&format!("`{}`", file.join("below").display())), "{text}");
    // A directory is where the file should be: nothing else must be left behind.
    fs::create_dir_all(directory.0.join("out/report.md/x")).unwrap();
    let error = files::write_all(&made::bare(), Outcome::Passed, "{}", &directory.0.join("out")).unwrap_err();
    assert!(error.to_string().contains("report.md"), "{error}");
    assert_eq!(fs::read_dir(directory.0.join("out")).unwrap().count(), 1);
}

#[test]
fn a_jobs_summary_is_added_to_and_never_too_long() {
    let directory = Directory::new("summary");
    fs::create_dir_all(&directory.0).unwrap();
    let path = directory.0.join("summary.md");
    fs::write(&path, "before\n").unwrap();
    let model = Model::of(&made::two_sides(), Outcome::Failed);
    files::add_to_summary(&model, &path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("before\n\n# Event bus") && !text.contains(".svg"), "{text}");
    for there in [markdown::SUMMARY - 3_000, markdown::SUMMARY - 10, markdown::SUMMARY] {
        fs::write(&path, "x".repeat(there)).unwrap();
        files::add_to_summary(&model, &path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.len() <= markdown::SUMMARY);
        let cut = text.len() > there;
        assert_eq!(cut, text.contains("Left out for its length"), "{}", text.len() - there);
        assert_eq!(cut, there == markdown::SUMMARY - 3_000);
    }
}

#[test]
fn hostile_names_are_texts_in_every_output() {
    let results = made::two_sides();
    let model = Model::of(&results, Outcome::Failed);
    assert!(terminal::render(&model).contains(HOSTILE));
    let markdown = markdown::render(&model, Pictures::Beside, markdown::COMMENT);
    let texts = [html::render(&model), unfenced(&markdown)];
    for text in texts.into_iter().chain(results.plots().into_iter().map(|plot| plot.svg)) {
        assert!(!text.contains("<script"), "{text}");
    }
    assert!(results.csv().contains("\"<script>|\"\"a,b\"\"\""));
}

#[test]
fn what_is_found_by_itself_is_shown_by_the_public_functions() {
    let made = made::two_sides();
    let results = Results::new(made.title, made.records, made.comparisons);
    assert_eq!(results.outcome(), Outcome::Failed);
    let (text, page) = (results.to_string(), results.html());
    assert!(text.contains("Outcome: failed") && text.contains("  - failed: "), "{text}");
    assert!(results.markdown().contains("\n- **failed**: ") && page.contains("<b>failed</b>"), "{page}");
    let directory = Directory::new("public");
    let paths = results.write_to(&directory.0).unwrap();
    assert_eq!(fs::read_to_string(&paths[1]).unwrap(), page);
    assert_eq!(Results::from_json(&fs::read_to_string(&paths[2]).unwrap()).unwrap(), results);
}
