//! Mistakes in the options and in the function are reported together, and the function is still there.

#[isolated_nats::isolated_nats(timeout = "0s", flavor = "many", retries = 3)]
#[test]
fn test(_a: &str, #[cfg(unix)] _b: u8) {}

fn main() {
    let _ = test;
}
