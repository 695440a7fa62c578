//! The `#[isolated_nats]` attribute.
//!
//! Use it from the `isolated-nats` crate, which has the other half and the documentation.

use proc_macro::TokenStream;

mod argument;
mod attributes;
mod errors;
mod expand;
mod function;
mod options;
mod text;
mod values;

#[doc = include_str!("attribute.md")]
#[proc_macro_attribute]
pub fn isolated_nats(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(arguments.into(), &item.into()).into()
}

/// The same as `#[isolated_nats]`, under a name that ends in `test`: rstest takes an attribute for the one that makes
/// a test by the end of its path.
///
/// The options, and the order of the attributes with rstest, are described there.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(arguments.into(), &item.into()).into()
}
