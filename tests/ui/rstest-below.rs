//! `#[rstest]` below our attribute: one error, not one for each trace of it.

use isolated_nats::ExternalNats;

#[isolated_nats::test]
#[rstest]
#[case(1)]
async fn test(#[ignore] _nats: ExternalNats, #[case] _number: u32) {}

fn main() {}
