//! What the attributes share: a function whose body is kept as it was written, and the checks that each
//! of them makes of its signature.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Signature, Visibility, token};

use crate::errors::{self, Errors};
use crate::tokens;

/// A function item. The body is not parsed: it is the compiler's, spans and mistakes and all.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig = input.parse()?;
        if !input.peek(token::Brace) {
            return Err(input.error("expected a body"));
        }
        let TokenTree::Group(body) = input.parse()? else {
            return Err(input.error("expected a body"));
        };
        Ok(Function { attrs, vis, sig, body })
    }
}

/// Reads the item under the attribute `name`; on failure the error, to be shown beside the item.
pub(crate) fn read(name: &str, form: &str, item: &TokenStream) -> syn::Result<Function> {
    syn::parse2(item.clone()).map_err(|_| {
        let place = first_word(item);
        errors::at(place, format_args!("`#[gaggle::{name}]` goes on a function with a body"), form)
    })
}

/// Where the item proper begins, after its attributes.
fn first_word(item: &TokenStream) -> Span {
    let is_word = |token: &TokenTree| matches!(token, TokenTree::Ident(_));
    let mut all = item.clone().into_iter();
    all.find(is_word).map_or_else(|| tokens::ends(item).0, |word| word.span())
}

/// A goroutine blocks where a future waits, and a `const fn` can start none.
pub(crate) fn refuse_async_and_const(name: &str, form: &str, sig: &Signature, errors: &mut Errors) {
    if let Some(word) = &sig.asyncness {
        let expected = format!("`#[gaggle::{name}]` needs no `async fn`: a goroutine blocks where a future would wait");
        errors.push(errors::at(word.span, expected, form));
    }
    if let Some(word) = &sig.constness {
        let expected = format!("`#[gaggle::{name}]` cannot go on a `const fn`");
        errors.push(errors::at(word.span, expected, form));
    }
}

/// The attribute takes no arguments.
pub(crate) fn refuse_arguments(name: &str, args: &TokenStream, errors: &mut Errors) {
    if !args.is_empty() {
        let expected = format!("`#[gaggle::{name}]` takes no arguments");
        errors.push(errors::over(args, expected, &format!("`#[gaggle::{name}]`")));
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.attrs.iter().for_each(|attr| attr.to_tokens(tokens));
        self.vis.to_tokens(tokens);
        self.sig.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}
