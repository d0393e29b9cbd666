//! The macros of gaggle.

mod body_attr;
mod errors;
mod function;
mod go_expand;
mod go_parse;
mod main_attr;
mod select_expand;
mod select_head;
mod select_parse;
mod tokens;

use proc_macro::TokenStream;

/// Starts a goroutine.
#[proc_macro]
pub fn go(input: TokenStream) -> TokenStream {
    go_expand::expand(input.into()).into()
}

/// Waits on several channel operations.
#[proc_macro]
pub fn select(input: TokenStream) -> TokenStream {
    select_expand::expand(input.into()).into()
}

/// Makes `main` goroutine 1.
#[proc_macro_attribute]
pub fn main(args: TokenStream, item: TokenStream) -> TokenStream {
    main_attr::expand(main_attr::Kind::Main, args.into(), item.into()).into()
}

/// Runs a test as a goroutine.
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    main_attr::expand(main_attr::Kind::Test, args.into(), item.into()).into()
}

/// Lets a function continue on a new stack segment.
#[proc_macro_attribute]
pub fn growable(args: TokenStream, item: TokenStream) -> TokenStream {
    body_attr::growable(args.into(), item.into()).into()
}

/// Puts a checkpoint into every loop.
#[proc_macro_attribute]
pub fn preemptible(args: TokenStream, item: TokenStream) -> TokenStream {
    body_attr::preemptible(args.into(), item.into()).into()
}
