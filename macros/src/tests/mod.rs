//! The macros as functions from tokens to tokens: what is read, where mistakes point, what survives them.

mod attributes;
mod go;
mod select;
mod soup;

use proc_macro2::{TokenStream, TokenTree};

/// The tokens of `source`, whose spans know their text.
fn tokens(source: &str) -> TokenStream {
    source.parse().expect("a test's source has balanced brackets")
}

/// Every token that is not a bracket, in order.
fn leaves(stream: TokenStream) -> Vec<TokenTree> {
    let leaf = |token| match token {
        TokenTree::Group(group) => leaves(group.stream()),
        token => vec![token],
    };
    stream.into_iter().flat_map(leaf).collect()
}

/// The expansion's `compile_error!`s: the text each points at, and its message.
fn mistakes(expansion: TokenStream) -> Vec<(String, String)> {
    let all = leaves(expansion);
    let named = |(at, token): (usize, &TokenTree)| match token {
        TokenTree::Ident(ident) if ident == "compile_error" => {
            let text = ident.span().source_text().unwrap_or_default();
            let message = all[at + 2].to_string();
            Some((text, message.trim_matches('"').replace("\\\"", "\"")))
        }
        _ => None,
    };
    all.iter().enumerate().filter_map(named).collect()
}

/// One mistake, at the text `at`, that says `expected` and shows an accepted form.
#[track_caller]
fn assert_mistake(expansion: TokenStream, at: &str, expected: &str) {
    let mistakes = mistakes(expansion);
    let [(place, message)] = mistakes.as_slice() else { panic!("one mistake, not {mistakes:?}") };
    assert!(message.contains(expected), "{message:?} says {expected:?}");
    assert!(message.contains("accepted: `") || message.contains("\\naccepted: "), "{message:?}");
    assert_eq!(place, at, "where {message:?} points");
}

/// The expansion is sound Rust, without a `compile_error!`.
#[track_caller]
fn assert_expression(source: &str, expansion: TokenStream) -> String {
    let text = expansion.to_string();
    assert_eq!(mistakes(expansion.clone()), [], "{source}");
    assert!(syn::parse2::<syn::Expr>(expansion).is_ok(), "{source} gave {text}");
    text
}

/// Where a token stands in the source it was read from.
fn place(token: &TokenTree) -> (usize, usize, String) {
    let start = token.span().start();
    (start.line, start.column, token.to_string())
}

/// Each of `wanted`'s tokens stands once in `expansion`, with its own span.
#[track_caller]
fn assert_kept(source: &str, wanted: &[&str], expansion: TokenStream) {
    let all: Vec<_> = leaves(expansion).iter().map(place).collect();
    for token in leaves(tokens(source)) {
        let found = all.iter().filter(|&other| *other == place(&token)).count();
        if wanted.contains(&token.to_string().as_str()) {
            assert_eq!(found, 1, "`{token}` of {source}");
        }
    }
}
