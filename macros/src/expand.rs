//! Writes the test: the user's function, whole, inside a function that hands it to the runtime half.

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ReturnType, Signature, Token, ext::IdentExt as _, spanned::Spanned as _};

use crate::{
    attributes::ShouldPanic,
    errors::Errors,
    function::{Function, Parameter},
    options::{Flavor, Options},
};

/// Expands one use of the attribute. Mistakes become `compile_error!`, all of them, beside the function itself.
pub(crate) fn expand(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::read(arguments, &mut errors);
    let Some(function) = errors.keep(syn::parse2::<Function>(item.clone())) else {
        let errors = errors.into_compile_errors();
        return quote!(#errors #item);
    };
    let should_panic = function.check(&mut errors);
    if errors.is_empty() {
        return test(&function, &options, &should_panic);
    }
    let errors = errors.into_compile_errors();
    let function = function.without_attribute();
    quote!(#errors #function)
}

fn test(function: &Function, options: &Options, should_panic: &ShouldPanic) -> TokenStream {
    let Function { attributes, visibility, signature, body } = function;
    let (name, output) = (&signature.ident, &signature.output);
    let root = options.crate_path.as_ref().map_or_else(|| quote!(::isolated_nats), ToTokens::to_token_stream);
    let parameters = function.parameters();
    let settings = settings(name, &parameters, options, should_panic, &root);
    let call = call(name, &parameters, &root);
    // The keyword's place makes the whole inner function count as generated. A test without an `await` is as good as
    // one with it, but would otherwise be told (`clippy::unused_async`) to remove the `async` that it needs.
    let inner = Signature { asyncness: Some(Token![async](Span::call_site())), ..signature.clone() };
    // At the place of the return type, for the error that no test can return it.
    let at = match output {
        ReturnType::Default => Span::call_site(),
        ReturnType::Type(_, type_) => Span::call_site().located_at(type_.span()),
    };
    let root = placed(&root, at);
    let run = quote_spanned!(at=> #root::__private::run(#settings, #call));
    quote! {
        #[::core::prelude::v1::test]
        #(#attributes)*
        #visibility fn #name() #output {
            #inner #body
            #run
        }
    }
}

/// Writes the `Test` value: all that is known before the test runs.
fn settings(
    name: &Ident,
    parameters: &[Parameter],
    options: &Options,
    should_panic: &ShouldPanic,
    root: &TokenStream,
) -> TokenStream {
    let name = Literal::string(&name.unraw().to_string());
    let jetstream = jetstream(options, parameters, root);
    let config_file = option(options.config.as_ref());
    let version = option(options.version.as_ref());
    let flavor = flavor(options, root);
    let start_paused = options.start_paused.as_ref().is_some_and(|paused| paused.value);
    let timeout = option(options.timeout.map(|limit| {
        let seconds = Literal::u64_unsuffixed(limit.as_secs());
        let nanoseconds = Literal::u32_unsuffixed(limit.subsec_nanos());
        quote!(::core::time::Duration::new(#seconds, #nanoseconds))
    }));
    let should_panic = match should_panic {
        ShouldPanic::No => quote!(No),
        ShouldPanic::Yes => quote!(Yes),
        ShouldPanic::With(text) => quote!(With(#text)),
    };
    quote! {
        #root::__private::Test {
            name: ::core::concat!(::core::module_path!(), "::", #name),
            jetstream: #jetstream,
            config_file: #config_file,
            version: #version,
            flavor: #flavor,
            start_paused: #start_paused,
            timeout: #timeout,
            should_panic: #root::__private::ShouldPanic::#should_panic,
        }
    }
}

/// The option turns JetStream on for all; without it, any argument may.
fn jetstream(options: &Options, parameters: &[Parameter], root: &TokenStream) -> TokenStream {
    if options.jetstream == Some(true) {
        return quote!(true);
    }
    let wanted =
        parameters.iter().map(|Parameter { type_, .. }| quote!(<#type_ as #root::FromTest>::JETSTREAM));
    wanted.reduce(|all, one| quote!(#all || #one)).unwrap_or_else(|| quote!(false))
}

fn flavor(options: &Options, root: &TokenStream) -> TokenStream {
    match options.flavor.as_ref().map(|flavor| flavor.value) {
        None | Some(Flavor::CurrentThread) => quote!(#root::__private::Flavor::CurrentThread),
        Some(Flavor::MultiThread) => {
            let workers = options.worker_threads.as_ref();
            let workers = option(workers.map(|workers| Literal::usize_unsuffixed(workers.value)));
            quote!(#root::__private::Flavor::MultiThread { worker_threads: #workers })
        }
    }
}

/// Writes the closure that builds the arguments and calls the user's function.
fn call(name: &Ident, parameters: &[Parameter], root: &TokenStream) -> TokenStream {
    // Not a name that a constant in the user's module might have: the pattern would become a comparison with it.
    let context = Ident::new("isolated_nats_test_context", Span::mixed_site());
    let pattern = if parameters.is_empty() { quote!(_) } else { quote!(#context) };
    let arguments = parameters.iter().map(|Parameter { type_, text }| {
        // At the place of the type, for the error that it is no `FromTest`.
        let at = Span::call_site().located_at(type_.span());
        let root = placed(root, at);
        quote_spanned!(at=> #root::__private::argument::<#type_>(#context, #text).await?)
    });
    quote! {
        async |#pattern: &#root::TestContext| {
            ::core::result::Result::Ok::<_, #root::FromTestError>(#name(#(#arguments),*).await)
        }
    }
}

fn placed(tokens: &TokenStream, at: Span) -> TokenStream {
    let place = |mut tree: TokenTree| {
        tree.set_span(at);
        tree
    };
    tokens.clone().into_iter().map(place).collect()
}

fn option(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}
