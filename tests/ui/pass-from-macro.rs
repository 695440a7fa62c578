//! Tests that a `macro_rules` macro writes: its variables arrive in invisible groups.

macro_rules! tests {
    ($($name:ident, $limit:literal, $crate_path:path, $type_:ty, $body:block;)*) => { $(
        #[isolated_nats::test(timeout = $limit, crate = $crate_path)]
        async fn $name(_nats: $type_) $body
    )* };
}

tests! {
    first, "30s", ::isolated_nats, isolated_nats::ExternalNats, {};
    second, "1.5m", isolated_nats, ::isolated_nats::ExternalNats, { assert_eq!(1 + 1, 2); };
}
