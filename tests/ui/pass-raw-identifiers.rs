//! Names that are keywords.

use isolated_nats::{FromTest, FromTestError, TestContext};

struct Name(String);

impl FromTest for Name {
    async fn from_test(context: &TestContext) -> Result<Self, FromTestError> {
        Ok(Self(context.test_name().to_owned()))
    }
}

#[isolated_nats::test]
async fn r#try(r#type: Name) {
    assert!(r#type.0.ends_with("pass_raw_identifiers::try"), "{}", r#type.0);
}
