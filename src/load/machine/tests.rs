use std::process::{Child, Command, Stdio};

use super::sampler::Look;
use super::*;
use crate::process::ProcessProbe;

fn load(label: &str, pids: &[u32], cpu_ms: u64) -> ProcessLoad {
    ProcessLoad {
        label: label.into(),
        pids: pids.to_vec(),
        cpu_time: Duration::from_millis(cpu_ms),
        rss_start_bytes: Some(10 << 20),
        rss_peak_bytes: 30 << 20,
        rss_end_bytes: Some(20 << 20),
        threads_peak: Some(4),
    }
}

pub(in crate::load) fn figures(processes: Vec<ProcessLoad>) -> MachineFigures {
    MachineFigures {
        elapsed: Duration::from_secs(2),
        cores: Some(2),
        machine_cores: Some(2),
        own: load("own", &[1], 1000),
        own_process: Some("the program has no other test".into()),
        processes,
        not_measured: Vec::new(),
        other_cpu: Some(Duration::from_millis(250)),
        steal_cpu: Some(Duration::ZERO),
        sampling_cpu: Some(Duration::from_micros(900)),
        samples: 21,
    }
}

#[test]
fn a_child_is_the_server_by_its_pid_and_a_restarted_one_is_one() {
    let mut machine =
        figures(vec![load("sh", &[7], 5), load("nats-server", &[8], 500), load("nats-server", &[9], 245)]);
    assert_eq!(machine.cpu_per_operation(1000).unwrap().server, None);
    machine.name_server(&[9, 8]);
    let server = machine.server().unwrap();
    assert_eq!((server.pids.as_slice(), server.cpu_time), (&[8, 9][..], Duration::from_millis(745)));
    assert_eq!(machine.processes.len(), 2);
    let cpu = machine.cpu_per_operation(1000).unwrap();
    assert_eq!((cpu.client, cpu.server), (Duration::from_millis(1), Some(Duration::from_micros(745))));
    let shares = machine.cpu_shares().unwrap();
    let near = |share: f64, expected: f64| (share - expected).abs() < 1e-9;
    assert!(near(shares.client, 0.5) && near(shares.server.unwrap(), 0.3725), "{shares:?}");
    assert!(near(shares.other.unwrap(), 0.1275), "{shares:?}");
    assert_eq!(machine.in_cores(server_cpu(&machine)), 0.3725);
    assert_eq!(machine.cpu_per_operation(0), None);
}

fn server_cpu(machine: &MachineFigures) -> Duration {
    machine.server().unwrap().cpu_time
}

#[test]
fn a_server_that_was_not_sampled_has_no_figures_and_the_reason() {
    let mut machine = figures(vec![load("nats-server", &[8], 500)]);
    machine.name_server(&[4711]);
    assert_eq!(machine.server(), None);
    let text = machine.text(Some(1000));
    assert!(text.contains("server not measured: process 4711 was not sampled"), "{text}");
    machine.name_server(&[]);
    assert_eq!(machine.not_measured.len(), 1);
    machine.name_server(&[8]);
    assert!(machine.server().is_some() && machine.not_measured.is_empty(), "{machine:?}");
}

#[test]
fn the_table_says_who_used_what() {
    let mut machine = figures(vec![load("nats-server", &[8], 750)]);
    machine.name_server(&[8]);
    let expected = "\
machine   2.00 s on 2 cores; the client's part has the generator's; 21 samples took 900 µs of it
             CPU  cores   share  per operation  resident at start      peak       end
  client  1.00 s   0.50  50.0 %        1.00 ms           10.0 MiB  30.0 MiB  20.0 MiB
  server  750 ms   0.38  37.5 %         750 µs           10.0 MiB  30.0 MiB  20.0 MiB
  other   250 ms   0.12  12.5 %
";
    assert_eq!(machine.text(Some(1000)), expected);
    assert!(!machine.to_string().contains("per operation"));
}

#[test]
fn what_is_not_known_is_said_and_many_children_are_summed_up() {
    let mut machine = figures((10..20).map(|pid| load("nats-server", &[pid], 10)).collect());
    (machine.other_cpu, machine.own_process) = (None, None);
    machine.steal_cpu = Some(Duration::from_millis(100));
    let text = machine.to_string();
    assert!(text.contains("7 more processes        70.0 ms"), "{text}");
    assert!(
        text.contains("stolen by other guests") && text.contains("it takes Linux's /proc/stat"),
        "{text}"
    );
    assert!(text.contains("other tests of this process are in it"), "{text}");
    assert_eq!(machine.cpu_shares().unwrap().other, None);
}

#[test]
fn figures_survive_json() {
    let machine = figures(vec![load("nats-server", &[8], 750)]);
    let text = serde_json::to_string(&machine).unwrap();
    assert_eq!(serde_json::from_str::<MachineFigures>(&text).unwrap(), machine);
}

/// Runs until its input ends.
fn child(program: &str, arguments: &[&str]) -> Child {
    Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Uses CPU time until the clock of this process says so.
fn spin(at_least: Duration) {
    let own = ProcessProbe::new(std::process::id());
    let start = own.sample().unwrap().cpu_time;
    while own.sample().unwrap().cpu_time - start < at_least {
        std::hint::black_box((0..1000).sum::<u64>());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn this_process_and_its_children_are_measured() {
    let cat = child("cat", &["-"]);
    let mut sampler = Sampler::start(Vec::new(), None);
    spin(Duration::from_millis(30));
    sampler.sample();
    let machine = sampler.finish().unwrap();
    let pid = cat.id();
    end(cat);
    assert!(machine.own.cpu_time >= Duration::from_millis(30), "{machine:?}");
    assert!(machine.own.rss_peak_bytes >= machine.own.rss_start_bytes.unwrap());
    let child = machine.processes.iter().find(|process| process.pids == [pid]).unwrap();
    assert_eq!(child.label, "cat");
    assert!(child.rss_start_bytes.is_some() && child.rss_end_bytes.is_some(), "{child:?}");
    assert!(machine.other_cpu.is_some() && machine.sampling_cpu.unwrap() > Duration::ZERO, "{machine:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn one_that_was_given_is_not_counted_twice_and_one_that_is_gone_is_not_zero() {
    let (cat, gone) = (child("cat", &["-", "-"]), child("cat", &["-", "-", "-"]));
    let (probe, ended) = (ProcessProbe::new(cat.id()), ProcessProbe::new(gone.id()));
    end(gone);
    let machine =
        Sampler::start(vec![("server".into(), probe), ("gone".into(), ended)], None).finish().unwrap();
    let pid = cat.id();
    end(cat);
    assert_eq!(machine.server().unwrap().pids, [pid]);
    assert_eq!(machine.processes.iter().filter(|process| process.pids.contains(&pid)).count(), 1);
    assert_eq!(machine.process("gone"), None);
    assert_eq!(machine.not_measured.len(), 1, "{machine:?}");
    assert!(machine.not_measured[0].why.ends_with("has ended"), "{machine:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_restarted_child_goes_on_as_the_same_and_counts_from_its_birth() {
    // What tells it from the children of other tests is its arguments.
    let busy = "while :; do :; done # load/machine/tests.rs";
    let first = child("sh", &["-c", busy, "name", "first"]);
    let mut sampler = Sampler::start(vec![("worker".into(), ProcessProbe::new(first.id()))], None);
    let pids = [first.id()];
    end(first);
    sampler.take(Look::IfDue);
    let second = child("sh", &["-c", busy, "name", "second"]);
    let probe = ProcessProbe::new(second.id());
    while probe.sample().unwrap().cpu_time < Duration::from_millis(20) {
        std::thread::yield_now();
    }
    let machine = sampler.finish().unwrap();
    let second_pid = second.id();
    end(second);
    let worker = machine.process("worker").unwrap();
    assert_eq!(worker.pids, [pids[0], second_pid], "{machine:?}");
    assert!(worker.cpu_time >= Duration::from_millis(20), "{worker:?}");
    assert!(worker.rss_end_bytes.is_some());
}
