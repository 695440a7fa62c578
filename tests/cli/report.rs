//! `report` and `list`.

use super::support::{Scratch, record, results, with_target};

#[test]
fn without_runs_it_says_how_to_have_some() {
    let scratch = Scratch::new();
    for words in ["report", "list", "report bus", "bless bus", "trend bus", "clean bus"] {
        scratch.run(words).ends_with(3).says("there are no runs in").says("--results DIR");
    }
    scratch.run("clean").ends_with(0).says("0 runs removed, 0 runs left");
    scratch.run("clean --results nowhere").ends_with(0).says("there is no `nowhere`");
    scratch.run("clean bus --results nowhere").ends_with(3).says("`nowhere` is no directory");
    scratch.run("list --results nowhere").ends_with(3).says("`nowhere` is no directory");
}

#[test]
fn the_latest_run_is_shown_and_earlier_ones_by_name() {
    let scratch = Scratch::new();
    let mut earlier = record("bus", 1, 1000.0);
    earlier.metrics[0].name = "earlier".into();
    scratch.save(earlier);
    scratch.save(record("bus", 2, 2000.0));
    for words in ["report", "report bus", "report bus~0", "report --all"] {
        let ran = scratch.run(words);
        ran.ends_with(0).says("throughput");
        assert!(!ran.out.contains("earlier"), "{words}: {}", ran.out);
    }
    scratch.run("report bus~1").ends_with(0).says("earlier");
    scratch.run("report bus~2").ends_with(3).says("`bus` has 2 runs, and `~2` is none of them");
    scratch.run("report buss").ends_with(3).says("(did you mean `bus`?)");
    scratch.run("report orders").ends_with(3).says("(there are: `bus`)");
    let list = scratch.run("list bus");
    let first = list.ends_with(0).out.find("bus ").unwrap();
    assert!(first < list.out.find("bus~1").unwrap(), "the newest first: {}", list.out);
}

#[test]
fn several_scenarios_are_listed_until_one_is_named() {
    let scratch = Scratch::new();
    scratch.save(record("bus", 1, 1000.0));
    scratch.save(record("kv", 1, 1000.0));
    let list = scratch.run("report");
    list.ends_with(0).says("`report SCENARIO`");
    assert_eq!(list.out, scratch.run("list").out);
    assert!(!list.out.contains("throughput"), "{}", list.out);
    let all = scratch.run("report --all --format json");
    assert_eq!(all.ends_with(0).out.matches("\"name\": \"throughput\"").count(), 2);
    scratch.run("report --all --output out").ends_with(0);
    for scenario in ["bus", "kv"] {
        assert!(scratch.path("out").join(scenario).join("report.html").is_file());
    }
}

#[test]
fn every_format_can_be_printed_and_written() {
    let scratch = Scratch::new();
    scratch.save(record("bus", 1, 1000.0));
    for (format, file, text) in [
        ("terminal", "a.txt", "throughput"),
        ("markdown", "a.md", "|"),
        ("json", "a.json", "\"samples\""),
        ("csv", "a.csv", ","),
        ("html", "a.html", "<html"),
    ] {
        let printed = scratch.run(&format!("report bus --format {format}"));
        printed.ends_with(0).says(text);
        scratch.run(&format!("report bus --output {file}")).ends_with(0).says("wrote `");
        assert_eq!(std::fs::read_to_string(scratch.path(file)).unwrap(), printed.out, "{format}");
    }
    scratch.run("report bus --output dir/").ends_with(0);
    for file in ["report.md", "report.html", "results.json", "results.csv"] {
        assert!(scratch.path("dir").join(file).is_file(), "{file}");
    }
    std::fs::write(scratch.path("taken"), "").unwrap();
    scratch.run("report bus --output taken/report.md").ends_with(3).says("could not be written");
}

#[test]
fn a_file_needs_no_store_and_says_what_is_wrong_with_it() {
    let scratch = Scratch::new();
    let saved = scratch.save(record("bus", 1, 1000.0));
    std::fs::rename(saved, scratch.path("mine.json")).unwrap();
    std::fs::remove_dir_all(scratch.path("runs")).unwrap();
    scratch.run("report mine.json").ends_with(0).says("throughput");
    scratch.run("report other.json").ends_with(3).says("there is no file `other.json`");
    for (text, why) in [("{", "is no JSON"), ("{}", "holds neither results nor a baseline"), ("[]", "holds")]
    {
        std::fs::write(scratch.path("odd.json"), text).unwrap();
        scratch.run("report odd.json").ends_with(3).says(why);
    }
    std::fs::write(scratch.path("newer.json"), "{\"schema\": 999, \"records\": []}").unwrap();
    scratch.run("report newer.json").ends_with(3).says("999");
    std::fs::write(scratch.path("alone.json"), record("alone", 1, 5.0).json()).unwrap();
    scratch.run("report alone.json").ends_with(0).says("alone");
}

#[test]
fn a_check_ends_with_what_it_comes_to_and_a_report_does_not() {
    for (target, unmeasured, code) in
        [(900.0, false, 0), (1050.0, false, 0), (2000.0, false, 1), (1.0, true, 2)]
    {
        let scratch = Scratch::new();
        let mut record = with_target(record("bus", 1, 1000.0), target);
        if unmeasured {
            record.metrics[0].samples.fill(None);
        }
        let outcome = results(record.clone()).outcome();
        assert_eq!(i32::from(outcome.exit_code()), code, "{outcome:?}");
        scratch.save(record);
        scratch.run("report bus --check").ends_with(code);
        scratch.run("report bus").ends_with(0);
    }
}

#[test]
fn a_check_of_several_scenarios_checks_all_and_an_output_of_several_is_none() {
    let scratch = Scratch::new();
    scratch.save(record("bus", 1, 1000.0));
    scratch.save(with_target(record("kv", 1, 1000.0), 5000.0));
    for words in ["report --check", "report --all --check", "report --check --format json"] {
        scratch.run(words).ends_with(1);
    }
    scratch.run("report --check").says("Outcome: failed").says("Outcome: passed");
    for words in ["report --format json", "report --output out"] {
        let ran = scratch.run(words);
        ran.ends_with(64).says("`bus`, `kv`").says("`--all`");
        assert_eq!(ran.out, "");
    }
    assert!(!scratch.path("out").exists());
    let all = scratch.run("report --all --output out");
    all.ends_with(0).says("wrote 4 files into `").says("out/kv`");
    assert_eq!(all.err.lines().count(), 2, "a line for each scenario: {all:#?}");
}
