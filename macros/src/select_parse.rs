//! Reads `select!`: `biased;`, then arms.
//!
//! Expressions cannot be parsed across `<-` (it reads as "less than minus"), so what stands before it is
//! cut off first.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Pat, Token, token};

use crate::errors::{self, Errors};
use crate::select_head::Head;
use crate::tokens::{self, is_punct, is_word};

pub(crate) const ARMS_FORM: &str = "`v = <-rx => ..`, `<-rx => ..`, `tx <- v => ..`, \
    `r = tx <- v => ..`, `after(d) => ..` or `default => ..`";

/// A whole `select!`, with the arms that could be read.
pub(crate) struct Select {
    pub(crate) biased: bool,
    pub(crate) arms: Vec<Arm>,
    pub(crate) errors: Errors,
}

pub(crate) struct Arm {
    pub(crate) op: Op,
    pub(crate) guard: Option<Expr>,
    pub(crate) body: TokenStream,
    /// The arm's first token.
    pub(crate) place: Span,
}

/// What an arm waits for.
pub(crate) enum Op {
    Recv {
        pat: Option<Pat>,
        channel: Expr,
    },
    /// `arrow` is the place of `<-`.
    Send {
        pat: Option<Pat>,
        arrow: Span,
        channel: Expr,
        value: Box<Expr>,
    },
    After {
        duration: Expr,
    },
    Default,
}

impl Parse for Select {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut select = Select { biased: false, arms: Vec::new(), errors: Errors::default() };
        if starts_biased(input) {
            select.biased = true;
            select.read_biased(input);
        }
        while !input.is_empty() {
            if let Err(error) = select.read_arm(input) {
                select.errors.push(error);
                skip_arm(input);
            }
        }
        select.check_single();
        Ok(select)
    }
}

impl Select {
    fn read_biased(&mut self, input: ParseStream) {
        let word = input.parse::<TokenTree>().map_or_else(|error| error.span(), |word| word.span());
        if input.parse::<Token![;]>().is_err() {
            let error = errors::at(word, "expected `;` after `biased`", "`biased; v = <-rx => ..`");
            self.errors.push(error);
            let _ = input.parse::<Option<Token![,]>>();
        }
    }

    fn read_arm(&mut self, input: ParseStream) -> syn::Result<()> {
        let place = tokens::next_span(input);
        if starts_biased(input) {
            self.read_biased(input);
            let expected = "`biased` comes first, before all arms";
            self.errors.push(errors::at(place, expected, "`select! { biased; v = <-rx => .. }`"));
            return Ok(());
        }
        let op = self.read_op(input)?;
        let guard = self.read_guard(input, &op)?;
        self.read_fat_arrow(input, place)?;
        let (body, ends_itself) = read_body(input)?;
        self.arms.push(Arm { op, guard, body, place });
        if input.is_empty() || input.parse::<Option<Token![,]>>()?.is_some() || ends_itself {
            return Ok(());
        }
        let error = errors::at(
            tokens::next_span(input),
            "expected `,` between arms",
            "`a = <-x => f(a), b = <-y => g(b)`; no comma is needed after `{ .. }`",
        );
        if Head::of(input).arrow.is_none() {
            return Err(error);
        }
        // The next arm begins here.
        self.errors.push(error);
        Ok(())
    }

    fn read_op(&mut self, input: ParseStream) -> syn::Result<Op> {
        let head = Head::of(input);
        if head.is_default() {
            input.parse::<TokenTree>()?;
            return Ok(Op::Default);
        }
        if head.is_after() {
            return read_after(input);
        }
        if let Some(hint) = head.foreign() {
            return Err(errors::at(tokens::next_span(input), hint, ARMS_FORM));
        }
        if head.arrow == Some(0) {
            return Ok(Op::Recv { pat: None, channel: read_channel(input)? });
        }
        if head.has_pattern() {
            return self.read_op_with_pattern(input, &head);
        }
        if let Some(arrow) = head.arrow {
            return read_send(input, arrow, None);
        }
        Err(errors::at(tokens::next_span(input), "expected an arm of select!", ARMS_FORM))
    }

    fn read_op_with_pattern(&mut self, input: ParseStream, head: &Head) -> syn::Result<Op> {
        let pat = read_pattern(input)?;
        if is_refutable(&pat) {
            self.errors.push(refutable(&pat, !input.peek(Token![<-])));
        }
        if input.peek(Token![<-]) {
            return Ok(Op::Recv { pat: Some(pat), channel: read_channel(input)? });
        }
        if let (Some(equals), Some(arrow)) = (head.equals, head.arrow) {
            return read_send(input, arrow.saturating_sub(equals + 1), Some(pat));
        }
        let place = tokens::next_span(input);
        let expected = "expected `<-` before the channel to receive from";
        let error = errors::at(place, expected, "`v = <-rx => ..` or `r = tx <- v => ..`");
        // Go on as if it stood there, so that the body still knows the variable.
        match read_operand(input) {
            Ok(channel) => {
                self.errors.push(error);
                Ok(Op::Recv { pat: Some(pat), channel })
            }
            Err(_) => Err(error),
        }
    }

    fn read_guard(&mut self, input: ParseStream, op: &Op) -> syn::Result<Option<Expr>> {
        const FORM: &str = "`v = <-rx if ready => ..`";
        let Some(word) = input.parse::<Option<Token![if]>>()? else {
            return Ok(None);
        };
        let guard = match read_operand(input) {
            Ok(Expr::Let(guard)) => {
                let expected = "a guard is a condition; `let` has no place in it";
                return Err(errors::at(guard.let_token.span, expected, FORM));
            }
            Ok(guard) => guard,
            Err(_) => {
                return Err(errors::at(word.span, "expected a condition after `if`", FORM));
            }
        };
        if let Op::Default = op {
            let expected = "`default` takes no guard: it runs when no other arm is ready";
            self.errors.push(errors::at(word.span, expected, "`default => ..`"));
        }
        Ok(Some(guard))
    }

    /// Takes `=>`; goes on without it where a block follows.
    fn read_fat_arrow(&mut self, input: ParseStream, arm: Span) -> syn::Result<()> {
        if input.parse::<Option<Token![=>]>>()?.is_some() {
            return Ok(());
        }
        let place = if input.is_empty() { arm } else { tokens::next_span(input) };
        let expected = "expected `=>` and what to do when this arm is chosen";
        let error = errors::at(place, expected, "`v = <-rx => println!(\"{v:?}\")`");
        if input.peek(token::Brace) {
            self.errors.push(error);
            return Ok(());
        }
        Err(error)
    }

    fn check_single(&mut self) {
        let of = |kind: fn(&Op) -> bool| self.arms.iter().filter(move |arm| kind(&arm.op)).skip(1);
        let defaults = of(|op| matches!(op, Op::Default)).map(|arm| (arm.place, "default"));
        let afters = of(|op| matches!(op, Op::After { .. })).map(|arm| (arm.place, "after"));
        for (place, word) in defaults.chain(afters).collect::<Vec<_>>() {
            let expected = format!("a second `{word}` arm; select! takes one");
            self.errors.push(errors::at(place, expected, ARMS_FORM));
        }
    }
}

fn starts_biased(input: ParseStream) -> bool {
    let rest = tokens::rest(input);
    is_word(rest.first(), "biased")
        && match rest.get(1) {
            Some(next) => is_punct(Some(next), ';') || is_punct(Some(next), ','),
            None => true,
        }
}

fn read_channel(input: ParseStream) -> syn::Result<Expr> {
    let arrow: Token![<-] = input.parse()?;
    if operand_is_missing(input) {
        return Err(errors::over(arrow, "expected a channel after `<-`", "`v = <-rx => ..`"));
    }
    read_operand(input)
}

/// A pattern and its `=`.
fn read_pattern(input: ParseStream) -> syn::Result<Pat> {
    const FORM: &str = "`v = <-rx => ..` or `r = tx <- v => ..`";
    let place = tokens::next_span(input);
    let Ok(pat) = Pat::parse_multi_with_leading_vert(input) else {
        return Err(errors::at(place, "expected a pattern before `=`", FORM));
    };
    let place = tokens::next_span(input);
    if input.peek(Token![:]) {
        let expected = "a pattern in select! has no type of its own: the channel gives it";
        return Err(errors::at(place, expected, FORM));
    }
    match input.parse::<Token![=]>() {
        Ok(_) => Ok(pat),
        Err(_) => Err(errors::at(place, "expected `=` after the pattern", FORM)),
    }
}

fn refutable(pat: &Pat, sends: bool) -> syn::Error {
    let (other, form) = if sends {
        ("a send may also fail", "`r = tx <- v => match r { Ok(()) => .., Err(back) => .. }`")
    } else {
        ("a receive also gives `None`", "`v = <-rx => match v { Some(v) => .., None => .. }`")
    };
    errors::over(pat, format_args!("this pattern does not always match: {other}"), form)
}

/// `tx <- v`, with `<-` after `before` tokens.
fn read_send(input: ParseStream, before: usize, pat: Option<Pat>) -> syn::Result<Op> {
    const FORM: &str = "`tx <- v => ..`";
    let place = tokens::next_span(input);
    let mut head = TokenStream::new();
    for _ in 0..before {
        head.extend([input.parse::<TokenTree>()?]);
    }
    let channel = if head.is_empty() {
        Err(errors::at(place, "expected a channel before `<-`", FORM))
    } else {
        syn::parse2::<Expr>(head.clone()).map_err(|_| errors::over(&head, "expected a channel before `<-`", FORM))
    };
    let arrow: Token![<-] = input.parse()?;
    let channel = channel?;
    if operand_is_missing(input) {
        return Err(errors::over(arrow, "expected a value to send after `<-`", FORM));
    }
    let value = Box::new(read_operand(input)?);
    Ok(Op::Send { pat, arrow: arrow.spans[0], channel, value })
}

fn read_after(input: ParseStream) -> syn::Result<Op> {
    const FORM: &str = "`after(Duration::from_secs(1)) => ..`";
    let word: TokenTree = input.parse()?;
    let content;
    syn::parenthesized!(content in input);
    if content.is_empty() {
        return Err(errors::at(word.span(), "expected a duration in `after(..)`", FORM));
    }
    let duration = content.parse().map_err(|error| errors::explained(error, FORM))?;
    let _ = content.parse::<Option<Token![,]>>();
    let excess = tokens::take_until(&content, |_| false);
    if excess.is_empty() {
        return Ok(Op::After { duration });
    }
    Err(errors::over(excess, "`after` takes one duration", FORM))
}

/// What can be seen to need another arm. The rest is for the compiler to find.
pub(crate) fn is_refutable(pat: &Pat) -> bool {
    let last = |path: &syn::Path| path.segments.last().map(|last| last.ident.to_string());
    match pat {
        Pat::Lit(_) | Pat::Range(_) => true,
        Pat::Ident(ident) => ident.ident == "None",
        Pat::TupleStruct(pat) => {
            matches!(last(&pat.path).as_deref(), Some("Some" | "Ok" | "Err"))
        }
        Pat::Paren(pat) => is_refutable(&pat.pat),
        _ => false,
    }
}

/// Nothing, or the next part of the arm, where an operand should be.
fn operand_is_missing(input: ParseStream) -> bool {
    let guard = input.peek(Token![if]) && input.fork().parse::<Expr>().is_err();
    input.is_empty() || input.peek(Token![=>]) || input.peek(Token![,]) || guard
}

/// An expression before `if` or `=>`. Where neither follows, `=>` is missing, and `x { .. }` is more
/// likely an operand and a body than a struct.
fn read_operand(input: ParseStream) -> syn::Result<Expr> {
    let whole = input.fork();
    let outcome = whole.parse::<Expr>();
    if outcome.is_ok() && (whole.peek(Token![=>]) || whole.peek(Token![if])) {
        input.advance_to(&whole);
        return outcome;
    }
    let short = input.fork();
    let shorter = Expr::parse_without_eager_brace(&short);
    match (outcome, shorter) {
        (_, Ok(expr)) => {
            input.advance_to(&short);
            Ok(expr)
        }
        (Ok(expr), Err(_)) => {
            input.advance_to(&whole);
            Ok(expr)
        }
        (Err(error), Err(_)) => Err(errors::explained(error, ARMS_FORM)),
    }
}

/// The body, and whether it needs no comma. A block is not looked into: the compiler reports what is
/// wrong inside.
fn read_body(input: ParseStream) -> syn::Result<(TokenStream, bool)> {
    if input.peek(token::Brace) {
        return Ok((input.parse::<TokenTree>()?.into_token_stream(), true));
    }
    if input.is_empty() || input.peek(Token![,]) {
        let expected = "expected what to do when this arm is chosen";
        let form = "`v = <-rx => println!(\"{v:?}\")`";
        return Err(errors::at(tokens::next_span(input), expected, form));
    }
    let body = Expr::parse_with_earlier_boundary_rule(input)
        .map_err(|error| errors::explained(error, "`v = <-rx => expression` or `v = <-rx => { .. }`"))?;
    let ends_itself = matches!(
        body,
        Expr::If(_)
            | Expr::Match(_)
            | Expr::Block(_)
            | Expr::Unsafe(_)
            | Expr::Loop(_)
            | Expr::While(_)
            | Expr::ForLoop(_)
    );
    Ok((body.into_token_stream(), ends_itself))
}

/// Leaves what is left of a broken arm: up to its comma, or to the end of its block.
fn skip_arm(input: ParseStream) {
    let mut after_arrow = false;
    while let Ok(token) = input.parse::<TokenTree>() {
        let block = matches!(&token, TokenTree::Group(group)
            if group.delimiter() == proc_macro2::Delimiter::Brace);
        if is_punct(Some(&token), ',') || block && after_arrow {
            let _ = input.parse::<Option<Token![,]>>();
            return;
        }
        after_arrow = is_punct(Some(&token), '>');
    }
}
