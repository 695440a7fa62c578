//! `bless`, `trend` and `clean`.

use super::support::{Scratch, record};

#[test]
fn blessing_writes_one_file_and_says_where() {
    let scratch = Scratch::new();
    for minute in 1..=3 {
        scratch.save(record("bus", minute, 1000.0));
    }
    let path = scratch.path("baselines").join("bus.json");
    scratch.run("bless bus --runs 3").ends_with(0).says("`bus` is 3 runs, in `").says(path.to_str().unwrap());
    assert!(path.is_file());
    scratch.run("bless bus --as other").ends_with(0).says("`other` is 1 run, in");
    scratch.run("bless bus --runs 4").ends_with(3).says("has 3 runs of one configuration that are not quick");
    scratch.run("bless bus~1 --runs 2").ends_with(64).says("one run was given");
    scratch.run("bless baseline:bus").ends_with(64).says("is a baseline already");
    let mut elsewhere = scratch.command("bless bus --baselines");
    elsewhere.arg(scratch.path("committed"));
    super::support::ran(elsewhere).ends_with(0).says("committed");
    assert!(scratch.path("committed").join("bus.json").is_file());
}

#[test]
fn quick_runs_become_no_baseline() {
    let scratch = Scratch::new();
    let mut quick = record("bus", 2, 1000.0);
    quick.quick = true;
    let file = scratch.save(quick);
    scratch.run("bless bus").ends_with(3).says("1 are quick");
    let mut named = scratch.command("bless");
    named.arg(file);
    super::support::ran(named).ends_with(3).says("quick");
    assert!(!scratch.path("baselines").exists());
    // An older one that is not quick does.
    scratch.save(record("bus", 1, 1000.0));
    let ran = scratch.run("bless bus");
    ran.ends_with(0).says("taken 2026-11-21T17:01:00Z at an unknown commit");
    ran.says("passed over the run of 2026-11-21T17:02:00Z, which is quick");
    scratch.save(record("bus", 3, 1000.0));
    let newest = scratch.run("bless bus");
    newest.ends_with(0).says("taken 2026-11-21T17:03:00Z");
    assert!(!newest.err.contains("passed over"), "{newest:#?}");
}

#[test]
fn runs_of_another_configuration_are_left_out() {
    let scratch = Scratch::new();
    scratch.save(record("bus", 1, 1000.0));
    let mut other = record("bus", 2, 1000.0);
    other.configuration_hash = "another".into();
    scratch.save(other);
    scratch.save(record("bus", 3, 1000.0));
    scratch.run("bless bus --runs 2").ends_with(0).says("2 runs");
    scratch.run("bless bus --runs 3").ends_with(3);
}

#[test]
fn cleaning_removes_what_its_dry_run_says() {
    let scratch = Scratch::new();
    for minute in 1..=3 {
        scratch.save(record("bus", minute, 1000.0));
        let mut quick = record("bus", minute + 10, 1000.0);
        quick.quick = true;
        scratch.save(quick);
        scratch.save(record("kv", minute, 1000.0));
    }
    let count = || scratch.store().runs(None).unwrap().len();
    let lines = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(Into::into).collect();
        lines.sort();
        lines
    };
    let dry = scratch.run("clean --keep 1 --dry-run");
    dry.ends_with(0).says("6 runs would be removed, 3 runs left");
    assert_eq!(count(), 9);
    let done = scratch.run("clean --keep 1");
    done.ends_with(0).says("6 runs removed, 3 runs left");
    assert_eq!((lines(&done.out), count()), (lines(&dry.out), 3));
    scratch.run("clean kv").ends_with(0).says("1 run removed, 0 runs left");
    scratch.run("clean kv").ends_with(3).says("no run of `kv`");
    assert_eq!(count(), 2);
}

#[test]
fn a_trend_has_every_run() {
    let scratch = Scratch::new();
    for (minute, rate) in [(1, 1000.0), (2, 1500.0)] {
        scratch.save(record("bus", minute, rate));
    }
    scratch.run("trend bus").ends_with(0).says("throughput").says("2026-11-21");
    scratch.run("trend bus --metric throughput").ends_with(0).says("throughput");
    scratch.run("trend bus --metric thruput").ends_with(3).says("`throughput`");
    scratch.run("trend buss").ends_with(3).says("(did you mean `bus`?)");
}

/// Where a test of that package looks, from whichever directory.
#[test]
fn a_baseline_is_in_the_nearest_package() {
    let scratch = Scratch::new();
    scratch.save(record("bus", 1, 1000.0));
    let below = scratch.path("workspace").join("member").join("src");
    std::fs::create_dir_all(&below).unwrap();
    let (member, root) = (below.parent().unwrap(), scratch.path("workspace"));
    std::fs::write(root.join("Cargo.toml"), "[workspace]\nmembers = [\"member\"]\n").unwrap();
    std::fs::write(member.join("Cargo.toml"), "[package]\nname = \"member\"\n").unwrap();
    let run = |words: &str, directory: &std::path::Path| {
        let mut command = scratch.command(words);
        command.env_remove("CARGO_MANIFEST_DIR").env_remove("ISOLATED_NATS_BASELINES").current_dir(directory);
        super::support::ran(command)
    };
    run("bless bus", &below).ends_with(0);
    assert!(member.join("baselines").join("bus.json").is_file());
    run("compare baseline:bus bus", member).ends_with(0);
    for words in ["bless bus", "compare baseline:bus bus"] {
        run(words, &root).ends_with(3).says("is a workspace and no package").says("--baselines DIR");
    }
}
