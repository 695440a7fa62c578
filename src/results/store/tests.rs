use std::fs;
use std::thread;

use super::super::error::ResultsErrorKind;
use super::super::files::tests::Scratch;
use super::super::fingerprint::Commit;
use super::*;

const HASH: &str = "1f5a489aabbccddeeff00112233445566778899a";

/// Put together by hand: what makes findings is not what is tested here.
fn results(scenario: &str, taken: u64, quick: bool) -> Results {
    let mut record = Record::new(scenario);
    record.taken = Moment(taken);
    record.quick = quick;
    record.fingerprint.commit = Some(Commit { hash: HASH.into(), changed: Some(false) });
    bare(scenario, vec![record])
}

fn bare(title: &str, records: Vec<Record>) -> Results {
    Results { schema: 1, title: title.into(), records, comparisons: vec![], sweep: None, findings: vec![] }
}

fn times(store: &Store, scenario: &str) -> Vec<u64> {
    store.runs(Some(scenario)).unwrap().iter().map(|run| run.taken.unix_seconds()).collect()
}

#[test]
fn a_run_is_kept_and_found_by_scenario_time_and_commit() {
    let scratch = Scratch::new();
    let store = Store::at(scratch.path().join("not/there/yet"));
    assert!(store.runs(None).unwrap().is_empty() && store.latest("a").unwrap().is_none());
    let path = store.save(&results("orders::put, 1/2", 1_234_567_890, false)).unwrap();
    assert_eq!(path.file_name().unwrap(), "20090213T233130Z-1f5a489aabbc.json");
    store.save(&results("other", 5, true)).unwrap();
    let run = store.latest("orders::put, 1/2").unwrap().unwrap();
    assert_eq!((run.path.as_path(), run.scenario.as_str()), (path.as_path(), "orders::put, 1/2"));
    assert_eq!(
        (run.commit.as_deref(), run.quick, run.taken),
        (Some("1f5a489aabbc"), false, Moment(1_234_567_890))
    );
    assert_eq!(store.load(&run).unwrap(), results("orders::put, 1/2", 1_234_567_890, false));
    let all = store.runs(None).unwrap();
    let all: Vec<_> = all.iter().map(|run| (run.scenario.as_str(), run.quick)).collect();
    assert_eq!(all, [("other", true), ("orders::put, 1/2", false)]);
    assert!(store.runs(Some("orders")).unwrap().is_empty());
}

/// As those of a sweep may be.
#[test]
fn results_without_records_are_kept_by_their_title() {
    let scratch = Scratch::new();
    let store = Store::at(scratch.path());
    let results = bare("sweep", vec![]);
    store.save(&results).unwrap();
    let run = store.latest("sweep").unwrap().unwrap();
    assert_eq!((run.commit.as_deref(), store.load(&run).unwrap()), (None, results));
    assert!(store.trend("sweep").unwrap().runs.is_empty());
}

#[test]
fn the_oldest_runs_go_and_quick_ones_count_apart() {
    let scratch = Scratch::new();
    let store = Store::at(scratch.path()).retention(3);
    for time in 1..=5 {
        store.save(&results("a", time, false)).unwrap();
        store.save(&results("a", 100 + time, true)).unwrap();
        store.save(&results("b", time, false)).unwrap();
    }
    assert_eq!(times(&store, "a"), [3, 4, 5, 103, 104, 105]);
    assert_eq!(times(&store, "b"), [3, 4, 5]);
    let early = store.save(&results("a", 1, false)).unwrap();
    assert!(early.exists(), "what was just saved stays, whatever the clock says");
    assert_eq!(times(&store, "a"), [1, 4, 5, 103, 104, 105]);
}

#[test]
fn cleaning_leaves_the_newest_and_says_what_is_gone() {
    let scratch = Scratch::new();
    let store = Store::at(scratch.path());
    for time in 1..=3 {
        store.save(&results("a", time, false)).unwrap();
        store.save(&results("b", time, false)).unwrap();
    }
    store.save(&results("a", 9, true)).unwrap();
    assert_eq!(store.clean(Some("nobody"), 0).unwrap(), Vec::<PathBuf>::new());
    let removed = store.clean(Some("a"), 1).unwrap();
    assert_eq!((removed.len(), times(&store, "a"), times(&store, "b").len()), (2, vec![3, 9], 3));
    assert!(removed.iter().all(|path| !path.exists()));
    assert_eq!(store.clean(None, 1).unwrap().len(), 2);
    assert_eq!(store.clean(None, 0).unwrap().len(), 3);
    assert_eq!(scratch.files(), Vec::<String>::new(), "the directories are gone too");
}

#[test]
fn what_cannot_be_read_and_what_is_foreign_is_left_out_and_never_removed() {
    let scratch = Scratch::new();
    let store = Store::at(scratch.path()).retention(1);
    let path = store.save(&results("a", 2, false)).unwrap();
    let beside = |name: &str, text: &str| fs::write(path.with_file_name(name), text).unwrap();
    beside("19700101T000000Z-none.json", "{\"schema\": 1, \"tit");
    beside("19700101T000001Z-none.json", "{\"schema\": 999}");
    beside("README.md", "");
    beside("my-copy.json", &results("a", 1, false).json());
    beside("19700101T000003Z-none.json", &results("another", 3, false).json());
    fs::write(scratch.path().join("note"), "").unwrap();
    assert_eq!(times(&store, "a"), [2]);
    let unreadable = store.unreadable(Some("a")).unwrap();
    let kinds: Vec<_> = unreadable.iter().map(|(_, error)| error.kind()).collect();
    assert_eq!(kinds, [ResultsErrorKind::Format; 2]);
    assert!(
        unreadable[0].1.to_string().contains("19700101T000000Z-none.json` cannot be read"),
        "{unreadable:?}"
    );
    store.save(&results("a", 4, false)).unwrap();
    store.clean(Some("a"), 0).unwrap();
    let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 5, "{left:?}");
}

/// As two processes with four threads each do: two stores know nothing of each other, and all runs are of one second.
#[test]
fn runs_saved_at_once_are_all_there() {
    let scratch = Scratch::new();
    let stores = [Store::at(scratch.path()), Store::at(scratch.path())];
    let mut paths: Vec<PathBuf> = thread::scope(|scope| {
        let threads = (0..8).map(|number| {
            let store = &stores[number % 2];
            scope.spawn(move || {
                (0..5).map(|_| store.save(&results("a", 7, false)).unwrap()).collect::<Vec<_>>()
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), 40);
    let runs = stores[0].runs(Some("a")).unwrap();
    assert_eq!(runs.len(), 40);
    assert!(runs[0].path.ends_with("19700101T000007Z-1f5a489aabbc.json"), "{runs:?}");
    assert!(runs[9].path.ends_with("19700101T000007Z-1f5a489aabbc-10.json"), "in the order of the numbers");
    assert!(stores[0].unreadable(None).unwrap().is_empty());
    let left = fs::read_dir(runs[0].path.parent().unwrap()).unwrap().count();
    assert_eq!(left, 40, "nothing unfinished is left");
}

#[test]
fn a_run_that_is_gone_or_changed_is_an_error_with_its_path() {
    let scratch = Scratch::new();
    let store = Store::at(scratch.path());
    store.save(&results("a", 2, false)).unwrap();
    let run = store.latest("a").unwrap().unwrap();
    fs::write(&run.path, "no json").unwrap();
    let error = store.load(&run).unwrap_err();
    assert_eq!(error.kind(), ResultsErrorKind::Format);
    assert!(error.to_string().contains(&*run.path.to_string_lossy()), "{error}");
    fs::remove_file(&run.path).unwrap();
    assert_eq!(store.load(&run).unwrap_err().kind(), ResultsErrorKind::File);
}

#[test]
fn a_sweep_has_no_trend_and_the_error_says_so() {
    let scratch = Scratch::new();
    let store = Store::at(scratch.path());
    let sweep = crate::results::made::sweep();
    let name = sweep.title.clone();
    store.save(&sweep).unwrap();
    let error = store.trend(&name).unwrap_err();
    assert_eq!(error.kind(), ResultsErrorKind::Sweep);
    assert!(error.to_string().contains("is a sweep, which has no trend (`report`"), "{error}");
}
