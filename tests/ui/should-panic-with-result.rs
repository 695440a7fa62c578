//! A test that should panic returns nothing.

#[isolated_nats::isolated_nats]
#[should_panic]
async fn test() -> Result<(), String> {
    Ok(())
}

fn main() {}
