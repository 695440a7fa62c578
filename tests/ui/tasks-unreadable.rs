//! What becomes of leaked tasks is one of three words, and how many are allowed is a number.

#[isolated_nats::isolated_nats(tasks = "allow")]
async fn unknown() {}

#[isolated_nats::isolated_nats(tasks = false)]
async fn no_text() {}

#[isolated_nats::isolated_nats(allow_tasks = -1)]
async fn negative() {}

#[isolated_nats::isolated_nats(allow_tasks)]
async fn no_number() {}

fn main() {}
