use super::*;

#[test]
#[cfg(target_os = "linux")]
fn on_linux_the_essentials_are_there() {
    let fingerprint = Fingerprint::take();
    assert!(fingerprint.cpu_model.is_some() && fingerprint.cores >= Some(1), "{fingerprint:?}");
    assert!(fingerprint.memory_bytes > Some(64 << 20), "{fingerprint:?}");
    assert!(
        fingerprint.kernel.as_deref().is_some_and(|kernel| kernel.starts_with("Linux ")),
        "{fingerprint:?}"
    );
    assert!(
        fingerprint.rustc.as_deref().is_some_and(|rustc| rustc.starts_with("rustc 1.")),
        "{fingerprint:?}"
    );
    assert!(
        fingerprint.profile.as_deref().is_some_and(|profile| profile.contains(", opt-level ")),
        "{fingerprint:?}"
    );
    assert_eq!(fingerprint.isolated_nats.as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert!(fingerprint.load_average.is_some() && fingerprint.allocator.is_some(), "{fingerprint:?}");
    assert_eq!(fingerprint.runtime, None, "there is no runtime here");
    let again = Fingerprint::take();
    assert_eq!((again.differences(&fingerprint), again.notes(&fingerprint)), (vec![], vec![]));
}

#[test]
fn a_runtime_has_its_flavour_and_workers() {
    let one = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(one.block_on(async { runtime() }).as_deref(), Some("current_thread"));
    let many = tokio::runtime::Builder::new_multi_thread().worker_threads(3).build().unwrap();
    assert_eq!(many.block_on(async { runtime() }).as_deref(), Some("multi_thread 3"));
}

#[test]
fn the_profile_has_its_level_where_that_is_known() {
    assert_eq!(profile(true, Some("0")), "debug, opt-level 0");
    assert_eq!(profile(false, None), "release");
}

fn known() -> Fingerprint {
    Fingerprint {
        cpu_model: Some("x".into()),
        cores: Some(4),
        memory_bytes: Some(8 << 30),
        kernel: Some("Linux 6.1".into()),
        profile: Some("release, opt-level 3".into()),
        runtime: Some("current_thread".into()),
        allocator: Some("other".into()),
        server: Some("2.14.5".into()),
        rustc: Some("rustc 1.89.0".into()),
        ..Fingerprint::default()
    }
}

#[test]
fn another_machine_or_build_is_named_field_by_field() {
    let was = known();
    assert!(was.differences(&was).is_empty());
    let now = Fingerprint {
        cpu_model: Some("y".into()),
        cores: Some(2),
        memory_bytes: Some(4 << 30),
        virtualization: Some("docker".into()),
        runtime: Some("multi_thread 2".into()),
        ..known()
    };
    assert_eq!(
        now.differences(&was),
        [
            "cpu model: y, was x",
            "cores: 2, was 4",
            "memory: 4.00 GiB, was 8.00 GiB",
            "virtualization: docker, was none",
            "runtime: multi_thread 2, was current_thread",
        ]
    );
}

#[test]
fn what_one_may_want_to_find_out_is_a_note_and_no_difference() {
    let was = known();
    let now = Fingerprint {
        kernel: Some("Linux 6.2".into()),
        server: Some("2.15.0".into()),
        load_average: Some(9.0),
        commit: Some(Commit { hash: "a".into(), changed: None }),
        memory_bytes: Some((8 << 30) - (64 << 20)),
        ..known()
    };
    assert!(now.differences(&was).is_empty(), "{:?}", now.differences(&was));
    assert_eq!(now.notes(&was), ["kernel: Linux 6.2, was Linux 6.1", "nats-server: 2.15.0, was 2.14.5"]);
}

#[test]
fn what_is_not_known_does_not_differ() {
    let unknown = Fingerprint::default();
    assert!(known().differences(&unknown).is_empty() && unknown.differences(&known()).is_empty());
    assert!(known().notes(&unknown).is_empty());
}

#[test]
fn a_fingerprint_of_another_version_is_read() {
    let text = r#"{"cores": 2, "colour": "green"}"#;
    let fingerprint: Fingerprint = serde_json::from_str(text).unwrap();
    assert_eq!(fingerprint, Fingerprint { cores: Some(2), ..Fingerprint::default() });
}

#[tokio::test]
async fn a_server_adds_its_version_and_the_file_system_of_its_store() {
    let nats = ExternalNats::builder().jetstream().start().await.unwrap();
    let fingerprint = Fingerprint::take().with_server(&nats);
    assert_eq!(fingerprint.server.as_deref(), Some(nats.version()));
    assert_eq!(fingerprint.store_file_system.is_some(), cfg!(target_os = "linux"), "{fingerprint:?}");
    assert_eq!(fingerprint.runtime.as_deref(), Some("current_thread"));
    let without = ExternalNats::start().await.unwrap();
    assert_eq!(Fingerprint::take().with_server(&without).store_file_system, None);
}
