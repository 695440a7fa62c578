//! A test that never returns.

#[isolated_nats::isolated_nats]
async fn test() -> ! {
    panic!()
}

fn main() {}
