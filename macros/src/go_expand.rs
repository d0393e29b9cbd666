//! Writes what `go!` stands for: one call of `gaggle::__private::go`, or of a builder when there are
//! options.
//!
//! # Invariants
//! 1. Callee, receiver and arguments become `let`s in the caller, in the order in which Go evaluates
//!    them; only the call itself is in the goroutine's closure. Closure literals stay where they stand:
//!    making one has no effect but its captures, and there the callee's signature types its parameters.
//! 2. The static of the call site stands in a block of its own, since user tokens beside an item would
//!    see it.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprCall, ExprMethodCall, Token};

use crate::go_parse::{Go, Opt, Task};
use crate::tokens;

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let go = match syn::parse2::<Go>(input) {
        Ok(go) => go,
        Err(error) => return error.to_compile_error(),
    };
    let errors = go.errors.to_tokens();
    let Some(task) = go.task else {
        return quote!({ #errors });
    };
    let clones = go.clones.iter().map(clone_local);
    let (evaluated, closure) = closure_of(task);
    let site = site();
    let (builder, start) = if go.options.is_empty() {
        (TokenStream::new(), quote!(::gaggle::__private::go(#site, #closure)))
    } else {
        let builder = tokens::local("__builder", proc_macro2::Span::call_site());
        let calls = go.options.iter().map(option_call);
        (quote!(let #builder = ::gaggle::task::Builder::__at(#site) #(#calls)*;), quote!(#builder.__go(#closure)))
    };
    if errors.is_empty() && builder.is_empty() && go.clones.is_empty() && evaluated.is_empty() {
        return start;
    }
    quote!({ #errors #builder #(#clones)* #evaluated #start })
}

fn site() -> TokenStream {
    quote!({
        static SITE: ::gaggle::__private::Site =
            ::gaggle::__private::Site::new(::core::file!(), ::core::line!(), ::core::column!());
        &SITE
    })
}

/// A method call and not `Clone::clone(&x)`: of a reference, the value behind it is to be cloned. The
/// trait is brought along for modules without a prelude.
fn clone_local(name: &Ident) -> TokenStream {
    let call = quote_spanned!(name.span().resolved_at(proc_macro2::Span::mixed_site())=> .clone());
    quote!(let #name = { use ::core::clone::Clone as _; #name #call };)
}

fn option_call(option: &Opt) -> TokenStream {
    match option {
        Opt::Name(word, value) => quote_spanned!(word.span()=> .name(#value)),
        Opt::Stack(word, value) => quote_spanned!(word.span()=> .stack_size(#value)),
        Opt::Pinned(word) => quote_spanned!(word.span()=> .pinned()),
    }
}

/// The `let`s of the caller, and the closure of the goroutine.
fn closure_of(task: Task) -> (TokenStream, TokenStream) {
    match task {
        Task::Body(body) => (TokenStream::new(), quote!(move || #body)),
        Task::Statements(statements) => (TokenStream::new(), quote!(move || { #statements })),
        Task::Closure(mut closure) => {
            closure.capture.get_or_insert_with(Default::default);
            (TokenStream::new(), quote!(#closure))
        }
        Task::Callable(path) => {
            let mut lets = TokenStream::new();
            let callee = evaluate("__callee", path, &mut lets);
            (lets, quote!(move || #callee()))
        }
        Task::Call(call) => deferred_call(call),
        Task::Method(call) => deferred_method(call),
    }
}

fn deferred_call(call: ExprCall) -> (TokenStream, TokenStream) {
    let ExprCall { func, args, paren_token, .. } = call;
    let mut lets = TokenStream::new();
    let callee = match tokens::bare(*func) {
        // A callee in a `let` would no longer type the parameters of a closure literal.
        path @ Expr::Path(_) if args.iter().any(|arg| matches!(arg, Expr::Closure(_))) => {
            quote!(#path)
        }
        callee => evaluate("__callee", callee, &mut lets),
    };
    let args = evaluate_all(args, &mut lets);
    let list = quote_spanned!(paren_token.span.join()=> (#(#args),*));
    (lets, quote!(move || #callee #list))
}

fn deferred_method(call: ExprMethodCall) -> (TokenStream, TokenStream) {
    let ExprMethodCall { receiver, dot_token, method, turbofish, args, paren_token, .. } = call;
    let mut lets = TokenStream::new();
    let receiver = evaluate("__receiver", tokens::bare(*receiver), &mut lets);
    let args = evaluate_all(args, &mut lets);
    let list = quote_spanned!(paren_token.span.join()=> (#(#args),*));
    (lets, quote!(move || #receiver #dot_token #method #turbofish #list))
}

fn evaluate_all(args: Punctuated<Expr, Token![,]>, lets: &mut TokenStream) -> Vec<TokenStream> {
    let one = |(index, arg)| evaluate(&format!("__arg{index}"), arg, lets);
    args.into_iter().enumerate().map(one).collect()
}

/// Adds the `let` that evaluates `expr` in the caller, and gives what stands for it in the goroutine.
fn evaluate(name: &str, expr: Expr, lets: &mut TokenStream) -> TokenStream {
    match expr {
        Expr::Closure(closure) if name.starts_with("__arg") => quote!(#closure),
        Expr::Closure(closure) => quote!((#closure)),
        Expr::Lit(literal) => quote!(#literal),
        item if names_item(&item) => quote!(#item),
        expr => {
            let (first, _) = tokens::ends(&expr);
            let name = tokens::local(name, first);
            // `mut` for `&mut self` methods and `FnMut` callees.
            lets.extend(quote!(let mut #name = #expr;));
            quote!(#name)
        }
    }
}

/// A path that no local can be: of several segments, or in capitals. Such a callee or receiver has
/// nothing to evaluate, and a static could not be moved into a `let`.
fn names_item(expr: &Expr) -> bool {
    let Expr::Path(path) = expr else { return false };
    if path.qself.is_some() || path.path.leading_colon.is_some() || path.path.segments.len() > 1 {
        return true;
    }
    path.path.get_ident().is_some_and(|ident| {
        let name = ident.to_string();
        name.contains(char::is_alphabetic) && !name.contains(char::is_lowercase)
    })
}
