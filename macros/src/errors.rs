//! How a mistake is told: at its token, with what was expected and the form that is accepted.
//!
//! # Invariants
//! 1. A parser goes on after a mistake where it can, so that one run tells all of them and the sound
//!    parts are still expanded (editors complete inside them).
//! 2. No input makes a parser panic: whatever it cannot read is an error value.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            none => *none = Some(error),
        }
    }

    /// Keeps the value of `result`, or its error.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// `compile_error!` calls at the places of the mistakes; nothing when there are none.
    pub(crate) fn to_tokens(&self) -> TokenStream {
        self.0.as_ref().map(syn::Error::to_compile_error).unwrap_or_default()
    }
}

/// A mistake at `span`: what was expected, and the accepted form.
pub(crate) fn at(span: Span, expected: impl std::fmt::Display, form: &str) -> syn::Error {
    syn::Error::new(span, message(expected, form))
}

/// A mistake that covers all of `tokens`.
pub(crate) fn over(tokens: impl ToTokens, expected: impl std::fmt::Display, form: &str) -> syn::Error {
    syn::Error::new_spanned(tokens, message(expected, form))
}

fn message(expected: impl std::fmt::Display, form: &str) -> String {
    format!("{expected}\naccepted: {form}")
}

/// syn's own words about a piece of Rust, with the accepted form around it.
pub(crate) fn explained(error: syn::Error, form: &str) -> syn::Error {
    at(error.span(), error, form)
}
