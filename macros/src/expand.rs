//! Writes the test: the user's function, whole, inside a function that hands it to the runtime half.

use std::time::Duration;

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ReturnType, Signature, Token, ext::IdentExt as _, spanned::Spanned as _};

use crate::{
    attributes::ShouldPanic,
    errors::Errors,
    function::{Function, Parameter},
    options::{Flavor, Options, Tasks},
};

/// How often a test with a baseline is run, unless told otherwise.
const DEFAULT_ROUNDS: usize = 10;

/// Expands one use of the attribute. Mistakes become `compile_error!`, all of them, beside the function itself.
pub(crate) fn expand(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::read(arguments, &mut errors);
    let Some(function) = errors.keep(syn::parse2::<Function>(item.clone())) else {
        let errors = errors.into_compile_errors();
        return quote!(#errors #item);
    };
    let should_panic = function.check(&mut errors);
    if let (Some(baseline), false) = (&options.baseline, matches!(should_panic, ShouldPanic::No)) {
        let message = "a test that is to panic cannot be compared with a baseline (remove `baseline`, or `#[should_panic]`)";
        errors.push_at(baseline.at(), message);
    }
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
    let timeout = option(options.timeout.map(duration));
    let process = options.own_process();
    let ceilings = ceilings(options);
    let tasks = tasks(options, root);
    let baseline = baseline(options);
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
            process: #process,
            #ceilings
            #tasks
            #baseline
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

fn duration(limit: Duration) -> TokenStream {
    let seconds = Literal::u64_unsuffixed(limit.as_secs());
    let nanoseconds = Literal::u32_unsuffixed(limit.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanoseconds))
}

/// Writes the fields for what the test may use of memory.
fn ceilings(options: &Options) -> TokenStream {
    let bytes = |value: Option<u64>| option(value.map(Literal::u64_unsuffixed));
    let max_peak_heap = bytes(options.max_peak_heap);
    let max_live_heap_growth = bytes(options.max_live_heap_growth);
    let max_rss_growth = bytes(options.max_rss_growth);
    quote! {
        max_peak_heap: #max_peak_heap,
        max_live_heap_growth: #max_live_heap_growth,
        max_rss_growth: #max_rss_growth,
    }
}

/// Writes the fields for the tasks that the test may leave behind.
fn tasks(options: &Options, root: &TokenStream) -> TokenStream {
    let policy = match options.tasks {
        None | Some(Tasks::Deny) => quote!(Deny),
        Some(Tasks::Warn) => quote!(Warn),
        Some(Tasks::Off) => quote!(Off),
    };
    let allowed = options.allow_tasks.as_ref().map_or(0, |allowed| allowed.value);
    let allowed = Literal::usize_unsuffixed(allowed);
    quote! {
        tasks: #root::__private::TaskPolicy::#policy,
        allow_tasks: #allowed,
    }
}

/// Writes the fields for the baseline that the test is compared with; one without a name is the test's own.
fn baseline(options: &Options) -> TokenStream {
    let name = options.baseline.as_ref().map(|baseline| match &baseline.value {
        Some(name) => name.to_token_stream(),
        None => quote!(""),
    });
    let name = option(name);
    let rounds = options.rounds.as_ref().map_or(DEFAULT_ROUNDS, |rounds| rounds.value);
    let rounds = Literal::usize_unsuffixed(rounds);
    quote! {
        baseline: #name,
        rounds: #rounds,
    }
}

fn option(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares token by token: what the tokens print as depends on where they come from.
    fn assert_expands(arguments: TokenStream, item: &TokenStream, expected: &TokenStream) {
        assert_eq!(expand(arguments, item).to_string(), expected.to_string());
    }

    fn messages(expansion: &TokenStream) -> Vec<String> {
        let file: syn::File = syn::parse2(expansion.clone()).unwrap();
        let errors = file.items.iter().filter_map(|item| match item {
            syn::Item::Macro(call) => syn::parse2::<syn::LitStr>(call.mac.tokens.clone()).ok(),
            _ => None,
        });
        errors.map(|text| text.value()).collect()
    }

    #[test]
    fn a_bare_test_is_one_call() {
        assert_expands(
            quote!(),
            &quote!(
                async fn works() {}
            ),
            &quote! {
                #[::core::prelude::v1::test]
                fn works() {
                    async fn works() {}
                    ::isolated_nats::__private::run(
                        ::isolated_nats::__private::Test {
                            name: ::core::concat!(::core::module_path!(), "::", "works"),
                            jetstream: false,
                            config_file: ::core::option::Option::None,
                            version: ::core::option::Option::None,
                            flavor: ::isolated_nats::__private::Flavor::CurrentThread,
                            start_paused: false,
                            timeout: ::core::option::Option::None,
                            process: false,
                            max_peak_heap: ::core::option::Option::None,
                            max_live_heap_growth: ::core::option::Option::None,
                            max_rss_growth: ::core::option::Option::None,
                            tasks: ::isolated_nats::__private::TaskPolicy::Deny,
                            allow_tasks: 0,
                            baseline: ::core::option::Option::None,
                            rounds: 10,
                            should_panic: ::isolated_nats::__private::ShouldPanic::No,
                        },
                        async |_: &::isolated_nats::TestContext| {
                            ::core::result::Result::Ok::<_, ::isolated_nats::FromTestError>(works().await)
                        }
                    )
                }
            },
        );
    }

    #[test]
    fn everything_given_arrives_in_the_call() {
        assert_expands(
            quote! {
                config = "a.conf", version = "2.12", flavor = "multi_thread", worker_threads = 3, timeout = "1.5s",
                max_peak_heap = "8 MiB", max_live_heap_growth = "0 B", max_rss_growth = "10 MB", tasks = "warn",
                allow_tasks = 2, baseline = "orders", rounds = 17, crate = "a::b"
            },
            &quote! {
                /// Docs.
                #[ignore = "slow"]
                #[allow(unused_mut)]
                pub(crate) async fn r#try(mut n: Nats, #[allow(unused)] (a, b): c::Pair<u8>) -> Result<(), E> { body }
            },
            &quote! {
                #[::core::prelude::v1::test]
                /// Docs.
                #[ignore = "slow"]
                #[allow(unused_mut)]
                pub(crate) fn r#try() -> Result<(), E> {
                    async fn r#try(mut n: Nats, #[allow(unused)] (a, b): c::Pair<u8>) -> Result<(), E> { body }
                    a::b::__private::run(
                        a::b::__private::Test {
                            name: ::core::concat!(::core::module_path!(), "::", "try"),
                            jetstream: <Nats as a::b::FromTest>::JETSTREAM || <c::Pair<u8> as a::b::FromTest>::JETSTREAM,
                            config_file: ::core::option::Option::Some("a.conf"),
                            version: ::core::option::Option::Some("2.12"),
                            flavor: a::b::__private::Flavor::MultiThread {
                                worker_threads: ::core::option::Option::Some(3)
                            },
                            start_paused: false,
                            timeout: ::core::option::Option::Some(::core::time::Duration::new(1, 500000000)),
                            process: true,
                            max_peak_heap: ::core::option::Option::Some(8388608),
                            max_live_heap_growth: ::core::option::Option::Some(0),
                            max_rss_growth: ::core::option::Option::Some(10000000),
                            tasks: a::b::__private::TaskPolicy::Warn,
                            allow_tasks: 2,
                            baseline: ::core::option::Option::Some("orders"),
                            rounds: 17,
                            should_panic: a::b::__private::ShouldPanic::No,
                        },
                        async |isolated_nats_test_context: &a::b::TestContext| {
                            ::core::result::Result::Ok::<_, a::b::FromTestError>(r#try(
                                a::b::__private::argument::<Nats>(isolated_nats_test_context, "mut n: Nats").await?,
                                a::b::__private::argument::<c::Pair<u8> >(
                                    isolated_nats_test_context, "(a, b): c::Pair<u8>"
                                ).await?
                            ).await)
                        }
                    )
                }
            },
        );
    }

    #[test]
    fn jetstream_and_should_panic_are_passed_on() {
        let expansion = expand(
            quote!(jetstream, start_paused),
            &quote! {
                #[should_panic(expected = "text")]
                async fn fails(js: Js) {}
            },
        )
        .to_string();

        for part in [
            quote!(#[should_panic(expected = "text")] fn fails()),
            quote!(jetstream: true,),
            quote!(start_paused: true,),
            quote!(should_panic: ::isolated_nats::__private::ShouldPanic::With("text"),),
        ] {
            assert!(expansion.contains(&part.to_string()), "{part} is not in {expansion}");
        }
    }

    #[test]
    fn mistakes_are_all_reported_and_the_function_stays() {
        let expansion = expand(
            quote!(timeout = 3, other),
            &quote! {
                #[cfg(unix)]
                #[test]
                const extern "C" fn wrong<T>(#[case] a: &str) -> u8 { 1 }
            },
        );

        let messages = messages(&expansion);
        assert_eq!(messages.len(), 9, "{messages:#?}");
        let function = quote! {
            #[cfg(unix)]
            #[allow(dead_code)]
            async fn wrong<T>(a: &str) -> u8 { 1 }
        };
        assert!(expansion.to_string().ends_with(&function.to_string()), "{expansion}");
    }

    #[test]
    fn what_is_no_function_is_left_as_it_was() {
        for item in [
            quote!(
                struct A;
            ),
            quote!(
                mod a {}
            ),
            quote!(
                const A: u8 = 1;
            ),
            quote!(
                async fn a();
            ),
        ] {
            let expansion = expand(quote!(), &item).to_string();

            assert!(expansion.starts_with(":: core :: compile_error !"), "{expansion}");
            assert!(expansion.ends_with(&item.to_string()), "{expansion}");
        }
    }

    #[test]
    fn a_method_is_left_out_where_no_method_can_stand() {
        let expansion = expand(
            quote!(),
            &quote!(
                async fn a(&self) {}
            ),
        );

        assert_eq!(messages(&expansion).len(), 1);
        assert!(!expansion.to_string().contains("fn"), "{expansion}");
    }
}
