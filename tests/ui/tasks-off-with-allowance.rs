//! Where no tasks are looked at, none need be allowed.

#[isolated_nats::isolated_nats(tasks = "off", allow_tasks = 1)]
async fn test() {}

fn main() {}
