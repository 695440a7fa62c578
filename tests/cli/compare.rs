//! `compare`, with each of its outcomes.

use isolated_nats::results::{Commit, Record, Results, SweepReport};

use super::support::{Scratch, record, rounds, with_target};

/// Two runs of `bus`, the later one at this rate.
fn two(rate: f64) -> Scratch {
    let scratch = Scratch::new();
    scratch.save(record("bus", 1, 1000.0));
    scratch.save(record("bus", 2, rate));
    scratch
}

#[test]
fn a_regression_ends_with_1_and_an_improvement_with_0() {
    let worse = two(600.0);
    let ran = worse.run("compare bus~1 bus");
    ran.ends_with(1).says("bus~1").says("throughput");
    worse.run("compare bus bus~1").ends_with(0);
    worse.run("compare bus bus").ends_with(0);
    // It is 40 %, which does not matter to everyone.
    worse.run("compare bus~1 bus --least-effect throughput=90%").ends_with(0);
    worse.run("compare bus~1 bus --format json").ends_with(1).says("\"regressed\"");
    worse.run("compare bus~1 bus --output out.md").ends_with(1).says("wrote");
    assert!(std::fs::read_to_string(worse.path("out.md")).unwrap().contains("throughput"));
}

/// What an absolute target comes to is `report --check`'s to say.
#[test]
fn a_missed_target_is_no_difference() {
    let scratch = Scratch::new();
    scratch.save(with_target(record("bus", 1, 1000.0), 5000.0));
    scratch.save(with_target(record("bus", 2, 1000.0), 500.0));
    scratch.run("compare bus~1 bus").ends_with(0);
    let ran = scratch.run("compare bus bus~1");
    ran.ends_with(0).says("Outcome: passed");
    assert!(!ran.out.contains("misses"), "{ran:#?}");
    scratch.run("bless bus --as base").ends_with(0);
    scratch.run("compare baseline:base bus~1").ends_with(0);
    scratch.run("report bus~1 --check").ends_with(1).says("Outcome: failed");
}

#[test]
fn too_few_rounds_end_with_2() {
    let scratch = Scratch::new();
    scratch.save(rounds("bus", 1, 1000.0, 3));
    scratch.save(rounds("bus", 2, 600.0, 3));
    scratch.run("compare bus~1 bus").ends_with(2);
}

#[test]
fn other_configurations_are_refused_unless_asked_for() {
    let scratch = Scratch::new();
    let set = |mut record: Record, payload: &str| {
        record.configuration.insert("payload".into(), payload.into());
        record.configuration_hash = payload.into();
        record
    };
    scratch.save(set(record("bus", 1, 1000.0), "64"));
    scratch.save(set(record("bus", 2, 1000.0), "128"));
    scratch.run("compare bus~1 bus").ends_with(3).says("payload: 128, was 64").says("--any-configuration");
    scratch.run("compare bus~1 bus --any-configuration").ends_with(0).says("configurations differ");
}

#[test]
fn a_run_is_found_by_its_commit() {
    let scratch = Scratch::new();
    let at = |mut record: Record, hash: &str| {
        let commit = format!("{{\"hash\":\"{hash}\",\"changed\":false}}");
        record.fingerprint.commit = Some(serde_json::from_str::<Commit>(&commit).unwrap());
        record
    };
    let (old, new) = ("a".repeat(40), "b".repeat(40));
    scratch.save(at(record("bus", 1, 1000.0), &old));
    scratch.save(at(record("bus", 2, 600.0), &new));
    scratch.run("compare bus@aaaaaaa bus@bbbbbbb").ends_with(1);
    scratch.run(&format!("compare bus@{old} bus")).ends_with(1);
    scratch.run("compare bus@ccccccc bus").ends_with(3).says("no run at `ccccccc`").says("bbbbbbbbbbbb");
}

#[test]
fn a_baseline_is_compared_with_and_never_the_other_way() {
    let scratch = two(600.0);
    scratch.run("compare baseline:bus bus").ends_with(3).says("bus");
    scratch.run("bless bus~1").ends_with(0);
    scratch.run("compare baseline:bus bus").ends_with(1).says("throughput");
    scratch.run("compare baseline:bus bus --least-effect throughput=90%").ends_with(0);
    scratch.run("compare baseline:bus bus~1").ends_with(0);
    scratch.run("compare bus baseline:bus").ends_with(64).says("give it as BASE");
    scratch.run("compare baselines/bus.json bus").ends_with(1);
    scratch.run("report baseline:bus").ends_with(0).says("throughput");
}

#[test]
fn sides_without_a_counterpart_are_named() {
    let scratch = Scratch::new();
    let side = |mut record: Record, side: &str| {
        record.side = Some(side.into());
        record
    };
    let both = |minute, sides: [&str; 2], rate| {
        let records = sides.map(|name| side(record("bus", minute, rate), name)).to_vec();
        scratch.store().save(&Results::new("bus", records, Vec::new())).unwrap();
    };
    both(1, ["core", "jetstream"], 1000.0);
    both(2, ["jetstream", "core"], 600.0);
    scratch.run("compare bus~1 bus").ends_with(1).says("core of bus~1").says("jetstream of bus");
    both(3, ["a", "b"], 1000.0);
    scratch.run("compare bus~1 bus").ends_with(3).says("no side in common").says("`jetstream`");
    scratch.run("bless bus").ends_with(3).says("name it: `--side NAME`").says("`a`, `b`");
    scratch.run("bless bus --side a").ends_with(0);
    scratch.run("bless bus~0 --side c").ends_with(3).says("no side `c`");
}

/// Of the other sides, the baseline of one says nothing.
#[test]
fn a_baseline_is_compared_with_its_own_side() {
    let scratch = Scratch::new();
    let side = |name: &str, rate| {
        let mut record = record("bus", 1, rate);
        record.side = Some(name.into());
        record
    };
    let results = Results::new("bus", vec![side("fast", 9000.0), side("slow", 1000.0)], Vec::new());
    scratch.store().save(&results).unwrap();
    scratch.run("bless bus --side fast").ends_with(0).says("`bus-fast`");
    scratch.run("bless bus --side slow").ends_with(0).says("`bus-slow`");
    for name in ["fast", "slow"] {
        let ran = scratch.run(&format!("compare baseline:bus-{name} bus"));
        ran.ends_with(0).says(&format!("Comparison: {name} with baseline bus-{name}"));
        assert_eq!(ran.out.matches("Comparison: ").count(), 1, "{ran:#?}");
        assert!(!ran.out.contains("isolated-nats bless"), "its sides are not those of a run: {ran:#?}");
    }
    scratch.save(record("other", 1, 1000.0));
    scratch.run("bless other").ends_with(0);
    scratch.run("compare baseline:other bus").ends_with(3).says("is of no side").says("`fast`, `slow`");
}

#[test]
fn a_sweep_is_shown_and_nothing_else() {
    let scratch = Scratch::new();
    let sweep: SweepReport = serde_json::from_value(serde_json::json!({
        "name": "pricing", "taken": 1_795_000_000, "fingerprint": { "commit": { "hash": "1f5a489c0de51f5a489c", "changed": false } },
        "axis": "concurrency", "unit": "count", "limit": null, "knee": null, "degradation": [],
        "law": null, "bottlenecks": [], "notes": [], "thresholds": ["p99<5ms"], "stopped": { "budget": { "limit":
        { "secs": 9, "nanos": 0 } } }, "skipped": [2.0],
        "levels": [{ "level": 1.0, "metrics": [], "problems": [], "scalability": null }],
    }))
    .unwrap();
    scratch.store().save(&sweep.into_results()).unwrap();
    scratch
        .run("report pricing")
        .ends_with(0)
        .says("concurrency 2 was not measured")
        .says("well is: p99<5ms");
    scratch.run("list").ends_with(0).says("2026-11-18T11:06:40Z").says("1f5a489c0de5");
    scratch.run("trend pricing").ends_with(3).says("`pricing` is a sweep, which has no trend (`report`");
    scratch
        .run("bless pricing")
        .ends_with(3)
        .says("`pricing` is a sweep")
        .says("does not become a baseline")
        .says("`report pricing`");
    scratch.run("compare pricing pricing").ends_with(3).says("`pricing` is a sweep").says("is not compared");
    scratch.run("report pricing --output x.svg").ends_with(64).says("give a directory");
}
