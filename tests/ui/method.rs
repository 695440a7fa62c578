//! A method.

struct Tests;

impl Tests {
    #[isolated_nats::isolated_nats]
    async fn test(&self) {
        let _ = self;
    }
}

fn main() {
    let _ = Tests;
}
