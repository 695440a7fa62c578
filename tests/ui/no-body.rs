//! A function without a body.

trait Tests {
    #[isolated_nats::isolated_nats]
    async fn test();
}

fn main() {}
