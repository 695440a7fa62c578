//! The other attributes of the function and of its parameters: which are read, refused or passed on.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{Attribute, Expr, ExprLit, Lit, Meta, MetaNameValue, PatType, Path};

use crate::{errors::Errors, text};

/// What `#[should_panic]` says.
#[derive(Debug)]
pub(crate) enum ShouldPanic {
    No,
    Yes,
    /// With the expected text: a string, or a macro that makes one.
    With(TokenStream),
}

/// What the compiler itself accepts on a parameter, but for `cfg`.
const LINTS: [&str; 5] = ["allow", "expect", "warn", "deny", "forbid"];

/// What rstest reads on a parameter.
const RSTEST: [&str; 18] = [
    "base_dir",
    "by_ref",
    "case",
    "context",
    "default",
    "dirs",
    "exclude",
    "files",
    "from",
    "future",
    "ignore",
    "ignore_missing_env_vars",
    "include_dot_files",
    "mode",
    "notrace",
    "once",
    "values",
    "with",
];

const RSTEST_ORDER: &str = "`#[rstest]` must run before `#[isolated_nats::test]` (write `#[rstest]` first, then \
                            `#[case(..)]`, then `#[isolated_nats::test]`, and mark the arguments that come from \
                            isolated-nats with `#[ignore]`)";

/// Finds attributes that cannot stand beside ours.
pub(crate) fn check<'a>(
    attributes: &[Attribute],
    parameters: impl Iterator<Item = &'a PatType>,
    errors: &mut Errors,
) {
    for attribute in attributes {
        check_function_attribute(attribute, errors);
    }
    let mut rstest = attributes.iter().find(|attribute| is_rstest(attribute.path()));
    for attribute in parameters.flat_map(|parameter| &parameter.attrs) {
        if is_one_of(attribute.path(), &RSTEST) {
            rstest.get_or_insert(attribute);
        } else {
            check_parameter_attribute(attribute, errors);
        }
    }
    // One mistake in the order leaves many attributes behind: it is reported once.
    if let Some(attribute) = rstest {
        errors.push(attribute, RSTEST_ORDER);
    }
}

fn check_function_attribute(attribute: &Attribute, errors: &mut Errors) {
    let path = attribute.path();
    let Some(last) = path.segments.last() else { return };
    let written = text::compact(path.to_token_stream());
    if last.ident == "isolated_nats" || written.ends_with("isolated_nats::test") {
        errors.push(attribute, format!("`#[{written}]` is given twice (remove one, and join their options)"));
    } else if last.ident == "test" {
        let message = format!(
            "`#[isolated_nats]` makes the function a test by itself, and a second test attribute would run it twice \
             (remove `#[{written}]`)"
        );
        errors.push(attribute, message);
    } else if last.ident == "bench" {
        errors.push(attribute, format!("a test cannot be a benchmark as well (remove `#[{written}]`)"));
    }
}

fn check_parameter_attribute(attribute: &Attribute, errors: &mut Errors) {
    let path = attribute.path();
    if is_one_of(path, &LINTS) {
        return;
    }
    let written = text::compact(path.to_token_stream());
    if is_one_of(path, &["cfg", "cfg_attr"]) {
        let message = format!(
            "`#[{written}]` on a parameter of a test is not supported (put it on the whole function)"
        );
        errors.push(attribute, message);
    } else {
        let message = format!("`#[isolated_nats]` does not know `#[{written}]` on a parameter (remove it)");
        errors.push(attribute, message);
    }
}

/// Returns whether an attribute on the function shows that rstest has not run; when it has, it left none of these.
fn is_rstest(path: &Path) -> bool {
    let is = |segment: Option<&syn::PathSegment>, name| segment.is_some_and(|segment| segment.ident == name);
    is(path.segments.last(), "rstest") || is(path.segments.first(), "case")
}

fn is_one_of(path: &Path, names: &[&str]) -> bool {
    path.get_ident().is_some_and(|ident| names.iter().any(|name| ident == name))
}

/// Returns whether an attribute may stay on a function or parameter that is not a test.
pub(crate) fn is_harmless(attribute: &Attribute) -> bool {
    let path = attribute.path();
    is_one_of(path, &LINTS) || is_one_of(path, &["doc", "cfg"])
}

/// Reads the three forms of `#[should_panic]`.
pub(crate) fn should_panic(attributes: &[Attribute], errors: &mut Errors) -> ShouldPanic {
    let Some(attribute) = attributes.iter().find(|attribute| attribute.path().is_ident("should_panic"))
    else {
        return ShouldPanic::No;
    };
    expected(&attribute.meta).unwrap_or_else(|| {
        let message = "cannot read this `#[should_panic]` (write `#[should_panic]` or `#[should_panic(expected = \
                       \"text\")]`)";
        errors.push(attribute, message);
        ShouldPanic::Yes
    })
}

fn expected(meta: &Meta) -> Option<ShouldPanic> {
    match meta {
        Meta::Path(_) => Some(ShouldPanic::Yes),
        Meta::NameValue(pair) => text_of(&pair.value),
        Meta::List(list) => {
            let pair: MetaNameValue = list.parse_args().ok()?;
            if pair.path.is_ident("expected") { text_of(&pair.value) } else { None }
        }
    }
}

fn text_of(value: &Expr) -> Option<ShouldPanic> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(ShouldPanic::With(quote!(#text))),
        Expr::Macro(call) => Some(ShouldPanic::With(quote!(#call))),
        Expr::Group(group) => text_of(&group.expr),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn read(attribute: &Attribute) -> (String, Vec<String>) {
        let mut errors = Errors::default();
        let found = should_panic(std::slice::from_ref(attribute), &mut errors);
        let found = match found {
            ShouldPanic::No => "no".to_owned(),
            ShouldPanic::Yes => "yes".to_owned(),
            ShouldPanic::With(text) => text::compact(text),
        };
        (found, errors.messages())
    }

    #[test]
    fn should_panic_is_read_in_all_its_forms() {
        for (attribute, found) in [
            (parse_quote!(#[ignore]), "no"),
            (parse_quote!(#[should_panic]), "yes"),
            (parse_quote!(#[should_panic = "text"]), "\"text\""),
            (parse_quote!(#[should_panic(expected = "text")]), "\"text\""),
            (parse_quote!(#[should_panic = concat!("a", "b")]), "concat!(\"a\", \"b\")"),
        ] {
            assert_eq!(read(&attribute), (found.to_owned(), vec![]));
        }
    }

    #[test]
    fn should_panic_in_another_form_is_refused() {
        for attribute in [
            parse_quote!(#[should_panic()]),
            parse_quote!(#[should_panic("text")]),
            parse_quote!(#[should_panic = 1]),
            parse_quote!(#[should_panic(expected = -1)]),
            parse_quote!(#[should_panic(expected = "a", other)]),
        ] {
            assert_eq!(read(&attribute).1.len(), 1);
        }
    }

    #[test]
    fn rstest_is_seen_by_what_it_would_have_consumed() {
        for (attribute, is) in [
            (parse_quote!(#[rstest]), true),
            (parse_quote!(#[rstest::rstest]), true),
            (parse_quote!(#[case(1)]), true),
            (parse_quote!(#[case::named(1)]), true),
            (parse_quote!(#[allow(dead_code)]), false),
        ] {
            let attribute: Attribute = attribute;

            assert_eq!(is_rstest(attribute.path()), is);
        }
    }
}
