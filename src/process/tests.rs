use super::*;
use crate::poll::{Deadline, until};

#[test]
fn our_own_figures_are_plausible_and_our_threads_are_counted() {
    let sample = ProcessProbe::new(std::process::id()).sample().unwrap();
    assert!(sample.rss_bytes > 100 << 10, "{sample:?}");
    assert!(sample.virtual_bytes.unwrap() >= 100 << 10, "{sample:?}");
    #[cfg(target_os = "linux")]
    {
        assert!(sample.virtual_bytes.unwrap() >= sample.rss_bytes, "{sample:?}");
        assert!(sample.peak_rss_bytes.unwrap() >= sample.rss_bytes, "{sample:?}");
        assert!(sample.threads.unwrap() >= 2, "libtest's main thread and this one: {sample:?}");
        assert!(sample.open_descriptors.unwrap() >= 3, "{sample:?}");
        assert!(
            sample.voluntary_switches.unwrap() >= 1,
            "libtest's main thread waits for this one: {sample:?}"
        );
    }
}

#[cfg(unix)]
#[test]
fn an_ended_process_is_gone_whether_or_not_it_was_waited_for() {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let probe = ProcessProbe::new(child.id());
    let deadline = Deadline::after(Duration::from_secs(10));
    let error = until(&deadline, || probe.sample().err()).expect("`true` ends");
    assert_eq!(error.kind(), ProcessErrorKind::Gone);
    child.wait().unwrap();
    let error = probe.sample().unwrap_err();
    assert_eq!(error.kind(), ProcessErrorKind::Gone);
    assert_eq!(error.to_string(), format!("process {} has ended", child.id()));
}

#[test]
fn the_process_of_an_attached_server_is_unknown() {
    let probe = ProcessProbe::new(0);
    assert_eq!(probe.sample().unwrap_err().kind(), ProcessErrorKind::Unknown);
    assert_eq!(probe.pages().unwrap_err().kind(), ProcessErrorKind::Unknown);
    assert_eq!(probe.reset_peak_rss().unwrap_err().kind(), ProcessErrorKind::Unknown);
}

/// What needs a process whose figures nobody else moves: a child of this test binary that does as it is told.
#[cfg(target_os = "linux")]
mod measured {
    use std::hint::black_box;
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Child, ChildStdout, Command, Stdio};
    use std::{fs, io, thread};

    use super::*;

    const MIB: u64 = 1 << 20;
    /// The child's own small change: a page of the heap here, of a stack there.
    const SLACK: u64 = MIB;

    /// Set for the child; without it, a run of the ignored tests would wait for a terminal's input.
    const MARKER: &str = "MEASURED_SUBJECT";

    struct Subject {
        child: Child,
        answers: BufReader<ChildStdout>,
    }

    impl Subject {
        fn start() -> Self {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "process::tests::measured::subject", "--ignored", "--nocapture"])
                .args(["--test-threads", "1"])
                .env(MARKER, "1")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let answers = BufReader::new(child.stdout.take().unwrap());
            let mut subject = Self { child, answers };
            subject.answer();
            subject
        }

        fn probe(&self) -> ProcessProbe {
            ProcessProbe::new(self.child.id())
        }

        fn order(&mut self, what: &str, amount: usize) {
            writeln!(self.child.stdin.as_mut().unwrap(), "{what} {amount}").unwrap();
            self.answer();
        }

        fn answer(&mut self) {
            let mut line = String::new();
            while !line.ends_with("done\n") {
                line.clear();
                assert_ne!(self.answers.read_line(&mut line).unwrap(), 0, "the child ended");
            }
        }
    }

    impl Drop for Subject {
        fn drop(&mut self) {
            drop(self.child.stdin.take());
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    #[test]
    #[ignore = "run by the other tests, as a process of its own"]
    fn subject() {
        assert!(std::env::var_os(MARKER).is_some(), "it is for the other tests alone");
        let mut held = Vec::new();
        println!("done");
        for order in io::stdin().lines() {
            let order = order.unwrap();
            let (what, amount) = order.split_once(' ').unwrap();
            let amount = amount.parse::<usize>().unwrap();
            match what {
                "hold" => held.push(black_box(vec![1_u8; amount])),
                "release" => drop(black_box(vec![1_u8; amount])),
                "park" => (0..amount).for_each(|_| drop(thread::spawn(thread::park))),
                _ => panic!("`{what}` is no order"),
            }
            println!("done");
        }
    }

    #[track_caller]
    fn assert_near(actual: u64, expected: u64) {
        assert!(actual.abs_diff(expected) < SLACK, "{actual} is not within {SLACK} of {expected}");
    }

    #[test]
    fn memory_that_is_touched_is_resident_in_every_figure() {
        let mut subject = Subject::start();
        let probe = subject.probe();
        let mut sampler = probe.sampler().unwrap();
        let mut resident = platform::ResidentReader::open(probe.pid()).unwrap();
        subject.order("hold", 1); // the code that it runs is resident from here on
        let (before, pages_before) = (sampler.sample().unwrap(), probe.pages().unwrap());
        assert_near(resident.rss_bytes().unwrap(), before.rss_bytes);

        subject.order("hold", 16 << 20);

        let (after, pages_after) = (sampler.sample().unwrap(), probe.pages().unwrap());
        let expected = before.rss_bytes + 16 * MIB;
        assert_near(after.rss_bytes, expected);
        assert_near(resident.rss_bytes().unwrap(), expected);
        assert_near(after.virtual_bytes.unwrap(), before.virtual_bytes.unwrap() + 16 * MIB);
        assert_near(pages_after.anonymous_bytes + pages_after.swap_bytes, {
            pages_before.anonymous_bytes + pages_before.swap_bytes + 16 * MIB
        });
        assert!(pages_after.private_bytes >= 15 * MIB, "{pages_after:?}");
        // The program's own pages are shared with this process, which runs the same file.
        assert!(pages_after.pss_bytes < after.rss_bytes, "{pages_after:?} {after:?}");
        assert!(pages_after.private_bytes <= pages_after.pss_bytes, "{pages_after:?}");
    }

    #[test]
    fn a_transient_after_a_reset_is_in_the_peak_and_not_in_the_resident_memory() {
        let mut subject = Subject::start();
        let probe = subject.probe();
        subject.order("release", 96 << 20);
        let high = probe.sample().unwrap();
        assert!(high.peak_rss_bytes.unwrap() >= high.rss_bytes + 95 * MIB, "{high:?}");

        probe.reset_peak_rss().unwrap();
        let reset = probe.sample().unwrap();
        subject.order("release", 64 << 20);
        let after = probe.sample().unwrap();

        assert_near(reset.peak_rss_bytes.unwrap(), high.rss_bytes);
        assert_near(after.peak_rss_bytes.unwrap(), reset.rss_bytes + 64 * MIB);
        assert_near(after.rss_bytes, reset.rss_bytes);
    }

    // `status` of the process counts for its main thread alone, which here waits as often as it likes.
    #[test]
    fn switches_are_those_of_all_threads() {
        let mut subject = Subject::start();
        let probe = subject.probe();
        subject.order("park", 50);
        let others = until(&Deadline::after(Duration::from_secs(10)), || {
            let sample = probe.sample().unwrap();
            assert!(sample.involuntary_switches.is_some());
            let status = fs::read_to_string(format!("/proc/{}/status", probe.pid())).unwrap();
            let main = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
            let others = sample.voluntary_switches.unwrap().saturating_sub(main.trim().parse().unwrap());
            (others >= 50).then_some(sample)
        });
        assert!(others.expect("each of them parks").threads.unwrap() >= 51);
        let series = probe.sampler().unwrap().sample().unwrap();
        assert_eq!((series.voluntary_switches, series.involuntary_switches), (None, None));
    }

    #[test]
    fn descriptors_are_counted_as_they_are_listed() {
        let subject = Subject::start();
        let listed = fs::read_dir(format!("/proc/{}/fd", subject.child.id())).unwrap().count();
        assert_eq!(subject.probe().sample().unwrap().open_descriptors, Some(listed as u64));
    }

    #[test]
    fn storage_figures_of_our_child_may_be_read() {
        let subject = Subject::start();
        let sample = subject.probe().sample().unwrap();
        assert!(sample.read_bytes.is_some() && sample.written_bytes.is_some(), "{sample:?}");
    }

    #[test]
    fn a_process_that_ends_under_an_open_reader_is_gone_in_every_way() {
        let mut subject = Subject::start();
        let probe = subject.probe();
        let mut sampler = probe.sampler().unwrap();
        let mut resident = platform::ResidentReader::open(probe.pid()).unwrap();
        drop(subject.child.stdin.take());
        let ended = until(&Deadline::after(Duration::from_secs(10)), || sampler.sample().err());
        assert_eq!(ended.expect("it ends with its input").kind(), ProcessErrorKind::Gone);
        for waited in [false, true] {
            if waited {
                subject.child.wait().unwrap();
            }
            assert_eq!(sampler.sample().unwrap_err().kind(), ProcessErrorKind::Gone, "{waited}");
            let error = probe.error(resident.rss_bytes().unwrap_err());
            assert_eq!(error.kind(), ProcessErrorKind::Gone, "{waited}");
            assert_eq!(probe.pages().unwrap_err().kind(), ProcessErrorKind::Gone, "{waited}");
            assert_eq!(probe.reset_peak_rss().unwrap_err().kind(), ProcessErrorKind::Gone, "{waited}");
        }
    }
}
