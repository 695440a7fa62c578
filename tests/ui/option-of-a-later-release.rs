//! Options that are planned are neither accepted nor called unknown.

#[isolated_nats::isolated_nats(tasks = "deny", allow_tasks = 1)]
async fn test() {}

fn main() {}
