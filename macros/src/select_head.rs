//! Tells the arms of `select!` apart by their heads, the tokens before `=>`: a `=` before the first `<-`
//! ends a pattern, and `<-` stands before a channel to receive from, or between a channel and the value
//! to send.

use proc_macro2::{Delimiter, Spacing, TokenTree};
use syn::parse::ParseStream;

use crate::tokens::{self, is_pair, is_punct, is_word};

/// The tokens of an arm before its `=>`.
pub(crate) struct Head {
    tokens: Vec<TokenTree>,
    /// Where the first `<-` is.
    pub(crate) arrow: Option<usize>,
    /// Where the first single `=` is.
    pub(crate) equals: Option<usize>,
}

impl Head {
    pub(crate) fn of(input: ParseStream) -> Head {
        let mut tokens = tokens::rest(input);
        tokens.truncate(head_len(&tokens));
        let arrow = (0..tokens.len()).find(|&i| is_arrow(&tokens, i));
        let equals = (0..tokens.len()).find(|&i| is_single_equals(&tokens, i));
        Head { tokens, arrow, equals }
    }

    fn word(&self, wanted: &str) -> bool {
        is_word(self.tokens.first(), wanted)
    }

    pub(crate) fn has_pattern(&self) -> bool {
        self.equals.is_some_and(|equals| self.arrow.is_none_or(|arrow| equals < arrow))
    }

    pub(crate) fn is_default(&self) -> bool {
        self.word("default")
            && match self.tokens.get(1) {
                None => true,
                Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
                next => is_word(next, "if"),
            }
    }

    /// `after(..)` and not a channel or a pattern that begins so.
    pub(crate) fn is_after(&self) -> bool {
        let called = matches!(self.tokens.get(1), Some(TokenTree::Group(group))
            if group.delimiter() == Delimiter::Parenthesis);
        let done = match self.tokens.get(2) {
            None | Some(TokenTree::Group(_)) => true,
            next => is_word(next, "if"),
        };
        self.word("after") && called && done
    }

    /// What to say to those who come from Go or another crate's select.
    pub(crate) fn foreign(&self) -> Option<&'static str> {
        let second = self.tokens.get(1);
        let called = matches!(second, Some(TokenTree::Group(_)));
        if self.word("case") && !is_punct(second, '<') && !is_punct(second, '=') {
            return Some("expected an arm of select!, without Go's `case`");
        }
        if self.word("else") {
            return Some("expected `default`, not `else`");
        }
        if self.word("default") && called && self.arrow.is_none() {
            return Some("`default` takes no timeout; the arm for it is `after(d)`");
        }
        if (self.word("recv") || self.word("send")) && called && self.arrow.is_none() {
            return Some("expected an arm with `<-`");
        }
        if is_punct(self.tokens.first(), '#') {
            return Some("arms of select! take no attributes");
        }
        None
    }
}

/// Up to `=>`, or to a comma that is not between generic arguments.
fn head_len(tokens: &[TokenTree]) -> usize {
    let mut angles = 0;
    for (at, token) in tokens.iter().enumerate() {
        let turbofish = at > 0 && is_punct(tokens.get(at - 1), ':');
        let arrow = at > 0 && is_pair(tokens, at - 1, ['-', '>']);
        if is_punct(Some(token), '<') && (angles > 0 || turbofish) {
            angles += 1;
        } else if is_punct(Some(token), '>') && angles > 0 && !arrow {
            angles -= 1;
        } else if is_pair(tokens, at, ['=', '>']) || angles == 0 && is_punct(Some(token), ',') {
            return at;
        }
    }
    tokens.len()
}

/// `<-`, but not the generic argument of `f::<-1>()`.
fn is_arrow(tokens: &[TokenTree], at: usize) -> bool {
    is_pair(tokens, at, ['<', '-']) && !(at > 0 && is_punct(tokens.get(at - 1), ':'))
}

/// `=` that is no part of `==`, `<=`, `+=`, ...
fn is_single_equals(tokens: &[TokenTree], at: usize) -> bool {
    let joined = |token: &TokenTree| {
        matches!(token, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint
            && "=<>!+-*/%^&|.".contains(punct.as_char()))
    };
    is_punct(tokens.get(at), '=') && !is_pair(tokens, at, ['=', '=']) && !(at > 0 && joined(&tokens[at - 1]))
}
