use quote::{ToTokens as _, quote};

use super::*;

fn read(tokens: TokenStream) -> (Options, Vec<String>) {
    let mut errors = Errors::default();
    let options = Options::read(tokens, &mut errors);
    (options, errors.messages())
}

#[test]
fn all_options_are_read() {
    let (options, errors) = read(quote! {
        jetstream, config = "nats.conf", version = "2.12", flavor = "multi_thread", worker_threads = 4,
        start_paused = false, timeout = "1.5s", process, max_peak_heap = "8 MiB",
        max_live_heap_growth = "64 KiB", max_rss_growth = "10 MB", tasks = "warn", allow_tasks = 2,
        crate = crate::nats,
    });

    assert_eq!(errors, [""; 0]);
    assert_eq!(options.jetstream, Some(true));
    assert_eq!(options.config.map(|file| file.value()), Some("nats.conf".to_owned()));
    assert_eq!(options.version.map(|version| version.value()), Some("2.12".to_owned()));
    assert_eq!(options.flavor.map(|flavor| flavor.value), Some(Flavor::MultiThread));
    assert_eq!(options.worker_threads.map(|workers| workers.value), Some(4));
    assert_eq!(options.start_paused.map(|paused| paused.value), Some(false));
    assert_eq!(options.timeout, Some(Duration::from_millis(1500)));
    assert_eq!(options.process.map(|process| process.value), Some(true));
    assert_eq!(options.max_peak_heap, Some(8 << 20));
    assert_eq!(options.max_live_heap_growth, Some(64 << 10));
    assert_eq!(options.max_rss_growth, Some(10_000_000));
    assert_eq!(options.tasks, Some(Tasks::Warn));
    assert_eq!(options.allow_tasks.map(|allowed| allowed.value), Some(2));
    assert_eq!(options.crate_path.to_token_stream().to_string(), "crate :: nats");
}

#[test]
fn every_option_refuses_every_other_kind_of_value() {
    let values = [
        quote!(),
        quote!(= -1),
        quote!(= 0),
        quote!(= 1.5),
        quote!(= b"a"),
        quote!(= c"a"),
        quote!(= 'a'),
        quote!(= a.b),
        quote!(= a + b),
        quote!(= {}),
        quote!(= []),
        quote!(= "a" "b"),
        quote!(= =),
        quote!(=),
        quote!((1)),
        quote!([1]),
        quote!(::a),
        quote!(= <a as b>::c),
        quote!(= |a| b),
        quote!(= ..),
        quote!(= a!()),
        quote!(= 99999999999999999999999999999999999999999),
        quote!(= 4u8),
        quote!(= "a"suffix),
        quote!(= #),
    ];
    for known in &KNOWN {
        let name = Ident::new(known.name, Span::call_site());
        for value in &values {
            let flag = value.is_empty()
                && matches!(known.name, "jetstream" | "start_paused" | "process" | "baseline");
            let none = known.name == "allow_tasks" && value.to_string() == "= 0";

            let (_, errors) = read(quote!(#name #value));

            assert_eq!(errors.len(), usize::from(!flag && !none), "{name} {value}: {errors:?}");
        }
    }
}

#[test]
fn an_unknown_option_names_the_nearest_and_all() {
    assert_eq!(
        read(quote!(max_peak = 3)).1,
        ["unknown option `max_peak`, did you mean `max_peak_heap`? (the options are `jetstream`, `config`, \
             `version`, `flavor`, `worker_threads`, `start_paused`, `timeout`, `process`, `max_peak_heap`, \
             `max_live_heap_growth`, `max_rss_growth`, `tasks`, `allow_tasks`, `baseline`, `rounds`, `crate`)"]
    );
}

#[test]
fn raw_identifiers_are_refused() {
    assert_eq!(
        read(quote!(r#timeout = "1s", r#tasks)).1,
        ["write `timeout` without `r#`", "write `tasks` without `r#`",]
    );
}

#[test]
fn a_repeated_option_keeps_its_first_value() {
    let (options, errors) = read(quote!(timeout = "1s", timeout = "x"));

    assert_eq!(options.timeout, Some(Duration::from_secs(1)));
    assert_eq!(errors, ["`timeout` is given twice (keep one of the two)"]);
}

#[test]
fn conflicts_are_found_in_any_order() {
    for (tokens, conflicts) in [
        (quote!(worker_threads = 2), 1),
        (quote!(worker_threads = 2, flavor = "current_thread"), 1),
        (quote!(worker_threads = 2, flavor = "multi_thread"), 0),
        (quote!(start_paused, flavor = "multi_thread"), 1),
        (quote!(flavor = "multi_thread", start_paused = false), 0),
        (quote!(start_paused, worker_threads = 2), 1),
        (quote!(process = false, max_rss_growth = "1 MiB"), 1),
        (quote!(max_rss_growth = "1 MiB", process = false), 1),
        (quote!(max_rss_growth = "1 MiB", process), 0),
        (quote!(max_peak_heap = "1 MiB", process = false), 0),
        (quote!(tasks = "off", allow_tasks = 1), 1),
        (quote!(allow_tasks = 1, tasks = "off"), 1),
        (quote!(allow_tasks = 1, tasks = "warn"), 0),
        (quote!(allow_tasks = 0), 0),
        (quote!(rounds = 15), 1),
        (quote!(baseline, rounds = 15), 0),
        (quote!(rounds = 15, baseline = "orders"), 0),
    ] {
        assert_eq!(read(tokens.clone()).1.len(), conflicts, "{tokens}");
    }
}

#[test]
fn a_process_is_asked_for_by_its_option_or_by_a_figure_that_needs_it() {
    for (tokens, own) in [
        (quote!(), false),
        (quote!(process), true),
        (quote!(process = false), false),
        (quote!(max_rss_growth = "0 B"), true),
        (quote!(max_peak_heap = "1 MiB", max_live_heap_growth = "1 MiB"), false),
    ] {
        assert_eq!(read(tokens.clone()).0.own_process(), own, "{tokens}");
    }
}

#[test]
fn a_bad_flavor_is_the_only_error() {
    let (_, errors) = read(quote!(flavor = "threaded", worker_threads = 2, start_paused));

    assert_eq!(errors, ["`flavor` is `current_thread` or `multi_thread`, not `threaded`"]);
}

#[test]
fn what_becomes_of_tasks_is_one_of_three() {
    for (text, meant) in [("deny", Tasks::Deny), ("warn", Tasks::Warn), ("off", Tasks::Off)] {
        assert_eq!(read(quote!(tasks = #text)).0.tasks, Some(meant));
    }
    assert_eq!(read(quote!(tasks = "allow")).1, ["`tasks` is `deny`, `warn` or `off`, not `allow`"]);
}

#[test]
fn the_crate_is_a_path_in_either_form() {
    for tokens in
        [quote!(crate = "::a::b"), quote!(crate = ::a::b), quote!(crate = crate), quote!(crate = "self::a")]
    {
        assert!(read(tokens).0.crate_path.is_some());
    }
    for tokens in [quote!(crate = ""), quote!(crate = "a b"), quote!(crate = a<b>), quote!(crate = "1")] {
        assert_eq!(
            read(tokens).1,
            ["`crate` takes the path of this crate (write `crate = \"my_tests::isolated_nats\"`)"]
        );
    }
}
