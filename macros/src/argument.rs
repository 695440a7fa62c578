//! Splits the text between the attribute's parentheses into arguments, without knowing any option.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use syn::{Lit, LitInt, LitStr};

use crate::errors::Errors;

/// One argument: `name`, `name = value`, or a form that only an error message needs.
#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) name: Ident,
    pub(crate) form: Form,
}

/// What follows an argument's name.
#[derive(Debug)]
pub(crate) enum Form {
    /// Nothing: `name`.
    Flag,
    /// `name = tokens`, with at least one token.
    Value(TokenStream),
    /// `name =`.
    NoValue,
    /// `name(tokens)`.
    Call,
}

/// Returns the arguments that can be told apart; what cannot is an error.
pub(crate) fn split(tokens: TokenStream, errors: &mut Errors) -> Vec<Argument> {
    let mut arguments = Vec::new();
    let mut current = Vec::new();
    for tree in tokens {
        match tree {
            TokenTree::Punct(comma) if comma.as_char() == ',' => {
                if current.is_empty() {
                    errors.push(comma, "there is no option before this comma (remove it)");
                } else {
                    arguments.extend(errors.keep(argument(std::mem::take(&mut current))));
                }
            }
            other => current.push(other),
        }
    }
    if !current.is_empty() {
        arguments.extend(errors.keep(argument(current)));
    }
    arguments
}

fn argument(trees: Vec<TokenTree>) -> syn::Result<Argument> {
    let mut trees = trees.into_iter();
    let name = match trees.next() {
        Some(TokenTree::Ident(name)) => name,
        other => {
            let span = other.as_ref().map_or_else(Span::call_site, TokenTree::span);
            return Err(syn::Error::new(
                span,
                "expected the name of an option (such as `timeout = \"30s\"`)",
            ));
        }
    };
    let form = match trees.next() {
        None => Form::Flag,
        Some(TokenTree::Punct(equals)) if equals.as_char() == '=' => {
            let value: TokenStream = trees.by_ref().collect();
            if value.is_empty() { Form::NoValue } else { Form::Value(value) }
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => Form::Call,
        Some(other) => return Err(not_an_argument(&name, &other)),
    };
    match trees.next() {
        None => Ok(Argument { name, form }),
        Some(other) => Err(not_an_argument(&name, &other)),
    }
}

fn not_an_argument(name: &Ident, found: &TokenTree) -> syn::Error {
    let message = format!("expected `,` or `=` after `{name}` (options are separated by commas)");
    syn::Error::new(found.span(), message)
}

impl Form {
    /// Returns the value when it is a string literal.
    pub(crate) fn string(&self) -> Option<LitStr> {
        match self.literal()? {
            Lit::Str(text) if text.suffix().is_empty() => Some(text),
            _ => None,
        }
    }

    /// Returns the value when it is an integer literal; it may be negative.
    pub(crate) fn integer(&self) -> Option<LitInt> {
        match self.literal()? {
            Lit::Int(number) if matches!(number.suffix(), "" | "usize") => Some(number),
            _ => None,
        }
    }

    /// Returns the value when it is `true` or `false`, and `true` for a bare name.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Flag => Some(true),
            _ => match self.literal()? {
                Lit::Bool(value) => Some(value.value),
                _ => None,
            },
        }
    }

    fn literal(&self) -> Option<Lit> {
        match self {
            Self::Value(tokens) => syn::parse2(tokens.clone()).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn names_and_errors(tokens: TokenStream) -> (Vec<String>, Vec<String>) {
        let mut errors = Errors::default();
        let arguments = split(tokens, &mut errors);
        (arguments.iter().map(|argument| argument.name.to_string()).collect(), errors.messages())
    }

    #[test]
    fn a_trailing_comma_is_fine() {
        let (names, errors) = names_and_errors(quote!(jetstream, timeout = "1s",));

        assert_eq!(names, ["jetstream", "timeout"]);
        assert_eq!(errors, [""; 0]);
    }

    #[test]
    fn what_cannot_be_read_does_not_hide_what_can() {
        let (names, errors) = names_and_errors(quote!(, "text", a::b, jetstream timeout, f(x) y, crate));

        assert_eq!(names, ["crate"]);
        assert_eq!(
            errors,
            [
                "there is no option before this comma (remove it)",
                "expected the name of an option (such as `timeout = \"30s\"`)",
                "expected `,` or `=` after `a` (options are separated by commas)",
                "expected `,` or `=` after `jetstream` (options are separated by commas)",
                "expected `,` or `=` after `f` (options are separated by commas)",
            ]
        );
    }

    #[test]
    fn literals_are_read_by_their_kind_only() {
        let value = |tokens| Form::Value(tokens);

        assert_eq!(value(quote!("a")).string().map(|text| text.value()), Some("a".to_owned()));
        assert!(value(quote!(b"a")).string().is_none());
        assert!(value(quote!("a" "b")).string().is_none());
        assert!(value(quote!(1.5)).integer().is_none());
        assert!(value(quote!(4u8)).integer().is_none());
        assert_eq!(value(quote!(-4)).integer().map(|number| number.to_string()), Some("-4".to_owned()));
        assert_eq!(value(quote!(false)).boolean(), Some(false));
        assert_eq!(Form::Flag.boolean(), Some(true));
        assert_eq!(Form::Call.boolean(), None);
        assert_eq!(Form::NoValue.boolean(), None);
    }
}
