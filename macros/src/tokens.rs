//! Small questions about tokens, and the names that expansions use for themselves.

use proc_macro2::{Ident, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Expr;
use syn::parse::ParseStream;

/// A local of the expansion. No user variable can be it or see it (mixed-site hygiene), whatever its
/// name; errors about it are shown at `place`. The leading underscores keep `unused_mut` quiet.
pub(crate) fn local(name: &str, place: Span) -> Ident {
    Ident::new(name, Span::mixed_site().located_at(place))
}

/// The first and the last token's place, for errors that should underline all of `tokens`.
pub(crate) fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut all = tokens.to_token_stream().into_iter().map(|token| token.span());
    let first = all.next().unwrap_or_else(Span::call_site);
    (first, all.last().unwrap_or(first))
}

/// Our own tokens, shown at `place` in errors.
pub(crate) fn placed(tokens: TokenStream, place: Span) -> TokenStream {
    let move_there = |mut token: TokenTree| {
        token.set_span(Span::mixed_site().located_at(place));
        token
    };
    tokens.into_iter().map(move_there).collect()
}

/// What is left of `input`, without taking it.
pub(crate) fn rest(input: ParseStream) -> Vec<TokenTree> {
    input.cursor().token_stream().into_iter().collect()
}

pub(crate) fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

pub(crate) fn is_word(token: Option<&TokenTree>, wanted: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == wanted)
}

/// Two punctuation characters written together, as `<-` and `=>`.
pub(crate) fn is_pair(tokens: &[TokenTree], at: usize, pair: [char; 2]) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct))
        if punct.as_char() == pair[0] && punct.spacing() == Spacing::Joint)
        && is_punct(tokens.get(at + 1), pair[1])
}

/// Takes tokens until `stop` says so or none is left.
pub(crate) fn take_until(input: ParseStream, mut stop: impl FnMut(ParseStream) -> bool) -> TokenStream {
    let mut taken = TokenStream::new();
    while !input.is_empty() && !stop(input) {
        match input.parse::<TokenTree>() {
            Ok(token) => taken.extend([token]),
            Err(_) => break,
        }
    }
    taken
}

/// The place of the next token, or of the macro call when there is none.
pub(crate) fn next_span(input: ParseStream) -> Span {
    input.span()
}

/// Takes away the parentheses and invisible groups around an expression.
pub(crate) fn bare(expr: Expr) -> Expr {
    match expr {
        Expr::Paren(paren) => bare(*paren.expr),
        Expr::Group(group) => bare(*group.expr),
        other => other,
    }
}
