//! Writes what `select!` stands for.
//!
//! # Invariants
//! 1. Guards, channels and values are evaluated once, arm by arm in source order, in a block that ends
//!    before any body runs: borrows end there, values not sent are dropped there.
//! 2. Bodies stand in the arms of a plain `match` of the enclosing function, in no closure and no loop
//!    of ours: `break`, `continue`, `return` and `?` mean what they mean there.
//! 3. User tokens are never copied and keep their spans. The only names of ours that they can see are
//!    the enum's, which no program uses by chance.
//! 4. Arms of one kind and index are tied by the variant's name: see `variant`.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::{Expr, Pat};

use crate::select_parse::{Arm, Op, Select, is_refutable};
use crate::tokens;

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let select = match syn::parse2::<Select>(input) {
        Ok(select) => select,
        Err(error) => return error.to_compile_error(),
    };
    let errors = select.errors.to_tokens();
    if select.arms.is_empty() {
        return if select.errors.is_empty() {
            quote!(::gaggle::__private::select::forever())
        } else {
            quote!({ #errors })
        };
    }
    let chosen = choose(&select);
    let variants = select.arms.iter().enumerate().map(|(index, arm)| declare(index, &arm.op));
    let generics: Vec<_> =
        (0..select.arms.len()).filter(|&index| bound_pattern(&select.arms[index].op).is_some()).map(payload).collect();
    let bodies = select.arms.iter().enumerate().map(|(index, arm)| run_body(index, arm));
    quote!({
        #errors
        enum __GaggleSelected<#(#generics),*> { #(#variants),* }
        match #chosen { #(#bodies)* }
    })
}

/// The block that waits and gives the winner's variant, with what it received.
fn choose(select: &Select) -> TokenStream {
    let mut lets = TokenStream::new();
    let mut cases = Vec::new();
    let mut winners = Vec::new();
    let mut timeout = None;
    let mut otherwise = None;
    for (index, arm) in select.arms.iter().enumerate() {
        let variant = variant(index, &arm.op);
        match &arm.op {
            Op::Recv { .. } | Op::Send { .. } => {
                let handle = tokens::local(&format!("__arm{index}"), arm.place);
                lets.extend(make_arm(index, arm, &handle));
                cases.push(quote!(#handle.case()));
                winners.push(finish(&arm.op, &handle, &variant));
            }
            Op::After { duration } => {
                lets.extend(make_timeout(index, arm, duration));
                timeout = Some(variant);
            }
            Op::Default => otherwise = Some(variant),
        }
    }
    let biased = select.biased;
    let call = call(&quote!(&mut [#(#cases),*], #biased), timeout.is_some(), otherwise.is_some());
    let outcome = outcome(winners, otherwise.or(timeout));
    let [won, chosen] = ["__won", "__chosen"].map(|name| tokens::local(name, Span::call_site()));
    // Through locals: temporaries of a scrutinee or a tail expression live too long.
    quote!({ #lets let #won = #call; let #chosen = match #won { #outcome }; #chosen })
}

/// The call that waits. Beside `default` nothing is ever waited for, so a timeout cannot pass.
fn call(cases: &TokenStream, timeout: bool, otherwise: bool) -> TokenStream {
    let limit = tokens::local("__timeout", Span::call_site());
    match (timeout, otherwise) {
        (_, true) => quote!(::gaggle::__private::select::poll(#cases)),
        (true, false) => quote!(::gaggle::__private::select::block_until(#cases, #limit)),
        (false, false) => quote!(::gaggle::__private::select::block(#cases)),
    }
}

/// Turns the index of the winner, or that there is none, into a variant.
fn outcome(mut winners: Vec<TokenStream>, nobody: Option<Ident>) -> TokenStream {
    if let Some(nobody) = nobody {
        let index = 0..winners.len();
        return quote!(
            #(::core::option::Option::Some(#index) => #winners,)*
            _ => __GaggleSelected::#nobody,
        );
    }
    let last = winners.pop();
    let index = 0..winners.len();
    quote!(#(#index => #winners,)* _ => #last,)
}

/// Evaluates the operands of a channel arm and makes the runtime's handle for it. The guard comes first:
/// it may look at the value that is then moved into the channel.
fn make_arm(index: usize, arm: &Arm, handle: &Ident) -> TokenStream {
    let (guard_let, enabled) = guard(index, arm);
    let (channel, value) = match &arm.op {
        Op::Send { channel, value, .. } => (channel, Some(value)),
        Op::Recv { channel, .. } => (channel, None),
        Op::After { .. } | Op::Default => return TokenStream::new(),
    };
    // Borrowed in a `let`: a place is not moved, and a temporary lives to the end of the block.
    let (first, last) = tokens::ends(channel);
    let borrowed = tokens::local(&format!("__channel{index}"), last);
    let name = tokens::local(&format!("__channel{index}"), first);
    let borrow = syn::ExprReference {
        attrs: Vec::new(),
        and_token: Default::default(),
        mutability: None,
        expr: Box::new(channel.clone()),
    };
    // Reborrowed, and the path spread, only so that an error underlines all of the operand, once.
    let path = tokens::placed(quote!(::gaggle::__private::select), first);
    let and = tokens::placed(quote!(&), first);
    let end = last.resolved_at(Span::mixed_site());
    let make = match value {
        Some(value) => quote_spanned!(end=> #path::send_arm(#and *#borrowed, #value, #enabled)),
        None => quote_spanned!(end=> #path::recv_arm(#and *#borrowed, #enabled)),
    };
    quote!(#guard_let let #name = #borrow; let mut #handle = #make;)
}

fn guard(index: usize, arm: &Arm) -> (TokenStream, TokenStream) {
    match &arm.guard {
        None => (TokenStream::new(), quote!(true)),
        Some(guard) => {
            let name = tokens::local(&format!("__guard{index}"), arm.place);
            let bool = typed(quote!(::core::primitive::bool), guard);
            (quote!(let #name: #bool = #guard;), quote!(#name))
        }
    }
}

/// A type of ours for a `let`, at the expression that must have it.
fn typed(ty: TokenStream, expr: &Expr) -> TokenStream {
    tokens::placed(ty, tokens::ends(expr).0)
}

/// The duration is evaluated whether the guard holds or not, like every operand.
fn make_timeout(index: usize, arm: &Arm, duration: &Expr) -> TokenStream {
    let limit = tokens::local("__timeout", Span::call_site());
    let ty = typed(quote!(::core::time::Duration), duration);
    let (guard_let, enabled) = guard(index, arm);
    let value = quote!(::core::option::Option::Some(#limit));
    let value = match arm.guard {
        None => value,
        Some(_) => quote!(if #enabled { #value } else { ::core::option::Option::None }),
    };
    quote!(#guard_let let #limit: #ty = #duration; let #limit = #value;)
}

/// What the winner's variant carries. A value without a pattern is dropped here, before the body.
fn finish(op: &Op, handle: &Ident, variant: &Ident) -> TokenStream {
    let done = match op {
        Op::Send { pat: None, arrow, .. } => {
            // At the user's arrow, so that the panic names the arm's line.
            let call = quote_spanned!(*arrow=> .finish_or_panic());
            quote!(#handle #call)
        }
        _ => quote!(#handle.finish()),
    };
    match (bound_pattern(op), op) {
        (Some(_), _) => quote!(__GaggleSelected::#variant(#done)),
        (None, Op::Send { pat: None, .. }) => quote!({ #done; __GaggleSelected::#variant }),
        (None, _) => quote!({ ::core::mem::drop(#done); __GaggleSelected::#variant }),
    }
}

/// The pattern, unless it is `_`.
fn bound_pattern(op: &Op) -> Option<&Pat> {
    match op {
        Op::Recv { pat, .. } | Op::Send { pat, .. } => pat.as_ref().filter(|pat| !matches!(pat, Pat::Wild(_))),
        Op::After { .. } | Op::Default => None,
    }
}

/// The underscore keeps `dead_code` quiet about an `after` beside a `default`.
fn variant(index: usize, op: &Op) -> Ident {
    match op {
        Op::Recv { .. } => format_ident!("Recv{index}"),
        Op::Send { .. } => format_ident!("Send{index}"),
        Op::After { .. } => format_ident!("_After{index}"),
        Op::Default => format_ident!("Default{index}"),
    }
}

fn payload(index: usize) -> Ident {
    format_ident!("T{index}")
}

fn declare(index: usize, op: &Op) -> TokenStream {
    let variant = variant(index, op);
    match bound_pattern(op) {
        Some(_) => {
            let payload = payload(index);
            quote!(#variant(#payload))
        }
        None => quote!(#variant),
    }
}

fn run_body(index: usize, arm: &Arm) -> TokenStream {
    let variant = variant(index, &arm.op);
    let body = &arm.body;
    match bound_pattern(&arm.op) {
        Some(pat) => {
            let value = tokens::local("__value", tokens::ends(pat).0);
            let body = prepend(bind(pat, &value), body);
            quote!(__GaggleSelected::#variant(#value) => #body)
        }
        None => quote!(__GaggleSelected::#variant => #body,),
    }
}

fn bind(pat: &Pat, value: &Ident) -> TokenStream {
    match pat {
        // Already told as a mistake; one is enough.
        pat if is_refutable(pat) => {
            quote!(let #pat = #value else { ::core::unreachable!() };)
        }
        // Parentheses are needed at the top of a `let`, though not before the `=` of an arm.
        Pat::Or(pat) => quote!(let (#pat) = #value;),
        pat => quote!(let #pat = #value;),
    }
}

/// A block of `first` and then `body`. The content of a block is taken over: a block within a block
/// would be one pair of braces too many for `unused_braces`.
fn prepend(first: TokenStream, body: &TokenStream) -> Group {
    let mut all = body.clone().into_iter();
    let (content, place) = match (all.next(), all.next()) {
        (Some(TokenTree::Group(block)), None) if block.delimiter() == Delimiter::Brace => {
            (block.stream(), block.span())
        }
        _ => (body.clone(), Span::call_site()),
    };
    let mut block = Group::new(Delimiter::Brace, quote!(#first #content));
    block.set_span(place);
    block
}
