//! Parameters for rstest without `#[rstest]`.

use isolated_nats::ExternalNats;

#[isolated_nats::test]
async fn test(_nats: ExternalNats, #[values(1, 2)] _number: u32, #[future] _other: u32) {}

fn main() {}
