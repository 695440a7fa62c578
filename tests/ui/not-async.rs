//! A function without `async`; its body has an `await`, which is not reported as well.

#[isolated_nats::isolated_nats]
fn test() {
    std::future::ready(()).await;
}

fn main() {}
