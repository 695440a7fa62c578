//! The function below the attribute: its parts, and what is wrong with them.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::{
    Attribute, FnArg, PatType, ReturnType, Signature, Token, Type, Visibility,
    parse::{Parse, ParseStream},
    spanned::Spanned as _,
};

use crate::{
    attributes::{self, ShouldPanic},
    errors::Errors,
    text,
};

/// The user's function. The body stays unread: what it holds is the compiler's business.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: Group,
}

/// One parameter of a test.
pub(crate) struct Parameter {
    pub(crate) type_: Type,
    /// The parameter as its author wrote it, for errors at run time.
    pub(crate) text: String,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        if !is_function(input) {
            return Err(input.error(
                "`#[isolated_nats]` belongs on a test function (write it above `async fn name(...) { ... }`)",
            ));
        }
        let signature = input.parse()?;
        match input.parse()? {
            // A body that comes from a `macro_rules` variable stands in a group without delimiters.
            TokenTree::Group(body) if matches!(body.delimiter(), Delimiter::Brace | Delimiter::None) => {
                Ok(Self { attributes, visibility, signature, body })
            }
            other => Err(syn::Error::new(other.span(), "a test function needs a body (write `{ ... }`)")),
        }
    }
}

fn is_function(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<Signature>().is_ok() || {
        // A signature that cannot be read gets the parser's own, more exact message.
        let first = input.fork();
        first.peek(Token![fn]) || (first.parse::<Token![async]>().is_ok() && first.peek(Token![fn]))
    }
}

impl Function {
    /// Returns the parameters, in order; a receiver is left out.
    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        self.typed_parameters()
            .map(|parameter| {
                let PatType { pat, ty, .. } = parameter;
                Parameter { type_: (**ty).clone(), text: text::compact(quote!(#pat: #ty)) }
            })
            .collect()
    }

    fn typed_parameters(&self) -> impl Iterator<Item = &PatType> {
        self.signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(parameter) => Some(parameter),
            FnArg::Receiver(_) => None,
        })
    }

    /// Finds every mistake, and returns what `#[should_panic]` says.
    pub(crate) fn check(&self, errors: &mut Errors) -> ShouldPanic {
        self.check_qualifiers(errors);
        self.check_generics(errors);
        for input in &self.signature.inputs {
            match input {
                FnArg::Receiver(receiver) => errors.push(
                    receiver,
                    "a test is a function of its own (move it out of the `impl` block and remove `self`)",
                ),
                FnArg::Typed(parameter) => check_type(&parameter.ty, errors),
            }
        }
        attributes::check(&self.attributes, self.typed_parameters(), errors);
        let should_panic = attributes::should_panic(&self.attributes, errors);
        self.check_return_type(&should_panic, errors);
        should_panic
    }

    fn check_qualifiers(&self, errors: &mut Errors) {
        let Signature { constness, asyncness, unsafety, abi, fn_token, ident, variadic, .. } =
            &self.signature;
        if asyncness.is_none() {
            let message = format!(
                "`#[isolated_nats]` needs an `async fn`: write `async fn {ident}(...)` (where it is one already, \
                 remove the other test attribute above, such as `#[tokio::test]`)"
            );
            errors.push(fn_token, message);
        }
        if let Some(constness) = constness {
            errors.push(constness, "a test cannot be `const` (remove it)");
        }
        if let Some(unsafety) = unsafety {
            errors.push(
                unsafety,
                "a test cannot be `unsafe` (remove it, and write `unsafe { ... }` in the body)",
            );
        }
        if let Some(abi) = abi {
            errors.push(abi, "a test has no ABI of its own (remove `extern`)");
        }
        if let Some(variadic) = variadic {
            errors.push(variadic, "a test cannot be variadic (remove `...`)");
        }
    }

    fn check_generics(&self, errors: &mut Errors) {
        let generics = &self.signature.generics;
        let message =
            "a test cannot be generic: nobody would choose the type (name the type in the parameter)";
        if !generics.params.is_empty() {
            errors.push(&generics.params, message);
        } else if let Some(clause) = &generics.where_clause {
            errors.push(clause, "a test cannot have a `where` clause (remove it)");
        }
    }

    fn check_return_type(&self, should_panic: &ShouldPanic, errors: &mut Errors) {
        let ReturnType::Type(_, type_) = &self.signature.output else { return };
        if let Type::Never(never) = &**type_ {
            errors.push(never, "a test returns (write no return type, or a `Result`)");
            return;
        }
        if !matches!(should_panic, ShouldPanic::No) && !is_unit(type_) {
            errors.push(
                type_,
                "a test with `#[should_panic]` returns nothing (remove the return type and unwrap in the body)",
            );
        }
    }
}

fn check_type(type_: &Type, errors: &mut Errors) {
    match type_ {
        Type::ImplTrait(_) => {
            errors
                .push(type_, "a test cannot take `impl Trait`: nobody would choose the type (name the type)");
        }
        Type::Infer(_) => {
            errors.push(type_, "the type of a parameter selects what the test gets (name the type)");
        }
        Type::Reference(reference) if reference.lifetime.is_none() => {
            errors.push(type_, "a test owns its arguments (write the type without `&`)");
        }
        Type::Group(group) => check_type(&group.elem, errors),
        Type::Paren(paren) => check_type(&paren.elem, errors),
        _ => {}
    }
}

fn is_unit(type_: &Type) -> bool {
    match type_ {
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        Type::Group(group) => is_unit(&group.elem),
        Type::Paren(paren) => is_unit(&paren.elem),
        _ => false,
    }
}

impl Function {
    /// Returns the function as something that compiles beside the errors, so that nothing else is reported; `None` for
    /// a method, which may stand where no function can.
    pub(crate) fn without_attribute(&self) -> Option<TokenStream> {
        if self.signature.receiver().is_some() {
            return None;
        }
        let attributes = self.attributes.iter().filter(|attribute| attributes::is_harmless(attribute));
        let mut signature = self.signature.clone();
        signature.constness = None;
        signature.abi = None;
        signature.variadic = None;
        let fn_span = signature.fn_token.span();
        signature.asyncness.get_or_insert(Token![async](fn_span));
        for input in &mut signature.inputs {
            if let FnArg::Typed(parameter) = input {
                parameter.attrs.retain(attributes::is_harmless);
            }
        }
        let Self { visibility, body, .. } = self;
        Some(quote! {
            #(#attributes)*
            #[allow(dead_code)]
            #visibility #signature #body
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(item: TokenStream) -> Vec<String> {
        let mut errors = Errors::default();
        let function: Function = syn::parse2(item).unwrap();
        function.check(&mut errors);
        errors.messages()
    }

    #[test]
    fn functions_that_are_tests_have_no_mistakes() {
        for item in [
            quote!(
                async fn a() {}
            ),
            quote!(pub async fn a(mut b: C, _: (D, E), f: &'static G) -> Result<(), H> { #![allow(dead_code)] ?!? }),
            quote!(
                #[should_panic]
                async fn a() -> () {}
            ),
            quote!(
                #[ignore]
                #[serial]
                #[tracing::instrument]
                async fn a(#[allow(unused)] b: C) {}
            ),
        ] {
            assert_eq!(mistakes(item.clone()), [""; 0], "{item}");
        }
    }

    #[test]
    fn each_mistake_is_reported_once() {
        for item in [
            quote!(
                fn a() {}
            ),
            quote!(
                async unsafe fn a() {}
            ),
            quote!(
                async extern "C" fn a() {}
            ),
            quote!(
                async fn a(self) {}
            ),
            quote!(
                async fn a(b: C, ...) {}
            ),
            quote!(
                async fn a<'a>(b: C) {}
            ),
            quote!(
                async fn a<const N: usize>() {}
            ),
            quote!(
                async fn a()
                where
                    A: B,
                {
                }
            ),
            quote!(
                async fn a(b: impl C) {}
            ),
            quote!(
                async fn a(b: _) {}
            ),
            quote!(
                async fn a(b: &mut C) {}
            ),
            quote!(
                async fn a(b: (&C)) {}
            ),
            quote!(
                async fn a(#[case] b: C, #[values(1)] c: D, #[future] d: E) {}
            ),
            quote!(
                #[rstest]
                #[case(1)]
                async fn a(#[ignore] b: C, #[case] c: D) {}
            ),
            quote!(
                async fn a(#[cfg_attr(unix, allow(unused))] b: C) {}
            ),
            quote!(
                async fn a(#[doc = "text"] b: C) {}
            ),
            quote!(
                #[test]
                async fn a() {}
            ),
            quote!(
                #[async_std::test]
                async fn a() {}
            ),
            quote!(
                #[isolated_nats]
                async fn a() {}
            ),
            quote!(
                #[bench]
                async fn a() {}
            ),
            quote!(
                #[should_panic]
                async fn a() -> Result<(), ()> {}
            ),
            quote!(
                async fn a() -> ! {}
            ),
        ] {
            let mistakes = mistakes(item.clone());

            assert_eq!(mistakes.len(), 1, "{item}: {mistakes:?}");
        }
    }
}
