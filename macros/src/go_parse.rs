//! Reads `go!`: options and clones up to a `;`, then what to run.
//!
//! `go!( .. )` and `go! { .. }` are the same to a macro, so the tokens decide: one call, closure or path
//! is that form, one block or several statements are a body.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{Block, Expr, ExprCall, ExprClosure, ExprMethodCall, Ident, Token};

use crate::errors::{self, Errors};
use crate::tokens::{self, is_pair, is_punct, is_word};

const TASK_FORM: &str = "`go!({ .. })`, `go!(f(a, b))`, `go!(x.method(a))` or `go!(|| ..)`";
const OPTIONS_FORM: &str = "`go!(name = \"worker\", stack = 1 << 20, pinned, clone tx, wg; f(tx, wg))`";

/// A whole `go!`. `task` is absent only if `errors` says why.
pub(crate) struct Go {
    pub(crate) options: Vec<Opt>,
    pub(crate) clones: Vec<Ident>,
    pub(crate) task: Option<Task>,
    pub(crate) errors: Errors,
}

/// An option, with the place of its name.
pub(crate) enum Opt {
    Name(Ident, Expr),
    Stack(Ident, Expr),
    Pinned(Ident),
}

impl Opt {
    fn word(&self) -> &Ident {
        match self {
            Opt::Name(word, _) | Opt::Stack(word, _) | Opt::Pinned(word) => word,
        }
    }
}

/// What the goroutine does.
pub(crate) enum Task {
    /// One expression, run as it stands.
    Body(TokenStream),
    /// Several statements.
    Statements(TokenStream),
    Call(ExprCall),
    Method(ExprMethodCall),
    Closure(ExprClosure),
    /// A path to something callable.
    Callable(Expr),
}

impl Parse for Go {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut go = Go { options: Vec::new(), clones: Vec::new(), task: None, errors: Errors::default() };
        if starts_options(input) {
            go.read_options(input);
        }
        let task = read_task(input);
        // What could not be read was reported; syn would report it again as unexpected.
        tokens::take_until(input, |_| false);
        go.task = match task {
            Err(_) if !go.errors.is_empty() => None,
            task => go.errors.keep(task),
        };
        Ok(go)
    }
}

impl Go {
    /// Reads up to and with the `;`. Where there is none, what stands after the first mistake is taken
    /// for what to run.
    fn read_options(&mut self, input: ParseStream) {
        while let Err(error) = self.read_options_until_mistake(input) {
            self.errors.push(error);
            if !tokens::rest(input).iter().any(|token| is_punct(Some(token), ';')) {
                return;
            }
            tokens::take_until(input, |input| input.peek(Token![;]) || input.peek(Token![,]));
            let _ = input.parse::<Option<Token![,]>>();
        }
    }

    fn read_options_until_mistake(&mut self, input: ParseStream) -> syn::Result<()> {
        loop {
            if input.parse::<Option<Token![;]>>()?.is_some() {
                return Ok(());
            }
            self.read_option(input)?;
            if input.peek(Token![;]) || input.parse::<Option<Token![,]>>()?.is_some() {
                continue;
            }
            return Err(errors::at(
                tokens::next_span(input),
                "expected `;` between the options and what to run",
                OPTIONS_FORM,
            ));
        }
    }

    fn read_option(&mut self, input: ParseStream) -> syn::Result<()> {
        let place = tokens::next_span(input);
        let Ok(word) = input.call(Ident::parse_any) else {
            return Err(errors::at(
                place,
                "expected an option: `name = ..`, `stack = ..`, `pinned` or `clone ..`",
                OPTIONS_FORM,
            ));
        };
        if word == "clone" {
            return self.read_clones(input, &word);
        }
        let option = if word == "pinned" && !input.peek(Token![=]) {
            Opt::Pinned(word)
        } else if word == "name" {
            Opt::Name(word.clone(), option_value(input, &word)?)
        } else if word == "stack" {
            Opt::Stack(word.clone(), option_value(input, &word)?)
        } else {
            return Err(errors::at(
                word.span(),
                format_args!("unknown option `{word}`: go! knows `name`, `stack`, `pinned` and `clone`"),
                "`go!(name = \"worker\"; f(a))`; several statements go in braces, `go!({ .. })`",
            ));
        };
        if self.options.iter().any(|earlier| earlier.word() == option.word()) {
            let word = option.word();
            return Err(errors::at(word.span(), format_args!("option `{word}` is given twice"), OPTIONS_FORM));
        }
        self.options.push(option);
        Ok(())
    }

    /// `clone a, b`, as far as the names go: a comma may also lead to the next option.
    fn read_clones(&mut self, input: ParseStream, word: &Ident) -> syn::Result<()> {
        const FORM: &str = "`go!(clone tx, wg; f(tx, wg))`";
        loop {
            let place = tokens::next_span(input);
            let Ok(name) = input.parse::<Ident>() else {
                let place = if input.is_empty() { word.span() } else { place };
                return Err(errors::at(place, "expected the name of a local variable to clone", FORM));
            };
            if input.peek(Token![.]) {
                return Err(errors::at(
                    tokens::next_span(input),
                    "`clone` takes the names of local variables, not fields or calls",
                    "`let tx = self.tx.clone();` before, then `go!({ .. })`",
                ));
            }
            if self.clones.contains(&name) {
                return Err(errors::at(name.span(), format_args!("`{name}` is cloned twice"), FORM));
            }
            self.clones.push(name);
            if !(input.peek(Token![,]) && input.peek2(Ident)) || option_follows(input) {
                return Ok(());
            }
            input.parse::<Token![,]>()?;
        }
    }
}

/// Whether the tokens after a comma are the next option rather than a name to clone.
fn option_follows(input: ParseStream) -> bool {
    let ahead = input.fork();
    ahead.parse::<Token![,]>().is_ok()
        && (is_assignment(&ahead) || is_word(tokens::rest(&ahead).first(), "pinned") || clone_starts(&ahead))
}

fn is_assignment(input: ParseStream) -> bool {
    input.peek(Ident) && input.peek2(Token![=]) && !input.peek2(Token![==]) && !input.peek2(Token![=>])
}

fn clone_starts(input: ParseStream) -> bool {
    is_word(tokens::rest(input).first(), "clone") && input.peek2(Ident::peek_any) && !input.peek2(Token![as])
}

/// Whether the input begins with options. `word;` and `word,` do too, so that a misspelt option is told
/// as such and not as a statement without effect.
fn starts_options(input: ParseStream) -> bool {
    let pinned = is_word(tokens::rest(input).first(), "pinned");
    is_assignment(input)
        || clone_starts(input)
        || input.peek(Ident) && (input.peek2(Token![;]) || input.peek2(Token![,]))
        || pinned && (input.peek2(Ident) || input.peek2(syn::token::Brace))
}

fn option_value(input: ParseStream, word: &Ident) -> syn::Result<Expr> {
    let form = if word == "name" { "`go!(name = \"worker 3\"; f(a))`" } else { "`go!(stack = 1 << 20; f(a))`" };
    if input.parse::<Token![=]>().is_err() {
        return Err(errors::at(word.span(), format_args!("expected `=` and a value after `{word}`"), form));
    }
    if input.is_empty() || input.peek(Token![,]) || input.peek(Token![;]) {
        return Err(errors::at(word.span(), format_args!("expected a value for `{word}`"), form));
    }
    input.parse().map_err(|error| errors::explained(error, form))
}

fn read_task(input: ParseStream) -> syn::Result<Task> {
    if input.is_empty() {
        return Err(errors::at(Span::call_site(), "expected what to run", TASK_FORM));
    }
    if let Some(block) = lone_block(input) {
        return Ok(Task::Body(block));
    }
    let ahead = input.fork();
    match ahead.parse::<Expr>() {
        Ok(expr) if ahead.is_empty() => {
            input.advance_to(&ahead);
            classify(expr)
        }
        outcome => read_statements(input, &ahead, outcome.err()),
    }
}

/// `{ .. }` and nothing else. Not looked into: what is wrong inside is for the compiler to say.
fn lone_block(input: ParseStream) -> Option<TokenStream> {
    let rest = tokens::rest(input);
    let [proc_macro2::TokenTree::Group(group)] = rest.as_slice() else {
        return None;
    };
    (group.delimiter() == proc_macro2::Delimiter::Brace).then(|| group.to_token_stream())
}

/// Several statements. With a `;` among them they are surely meant as such, and the compiler reports
/// their mistakes better than we could.
fn read_statements(input: ParseStream, after: ParseStream, error: Option<syn::Error>) -> syn::Result<Task> {
    let all = tokens::rest(input);
    let statements: TokenStream = all.iter().cloned().collect();
    let separated = all.iter().any(|token| is_punct(Some(token), ';'));
    if separated || input.fork().call(Block::parse_within).is_ok() {
        return Ok(Task::Statements(statements));
    }
    match error {
        Some(error) => Err(errors::explained(error, TASK_FORM)),
        None if is_pair(&tokens::rest(after), 0, ['=', '>']) => {
            Err(errors::at(after.span(), "go! has no arms", TASK_FORM))
        }
        None => Err(errors::at(
            after.span(),
            "go! starts one call, block or closure; expected nothing after it",
            "`go!({ first(); second() })` for several statements",
        )),
    }
}

fn classify(expr: Expr) -> syn::Result<Task> {
    match tokens::bare(expr) {
        Expr::Call(call) => Ok(Task::Call(call)),
        Expr::MethodCall(call) => Ok(Task::Method(call)),
        Expr::Closure(closure) => check_closure(closure),
        path @ Expr::Path(_) => Ok(Task::Callable(path)),
        body @ (Expr::Block(_)
        | Expr::Unsafe(_)
        | Expr::If(_)
        | Expr::Match(_)
        | Expr::Loop(_)
        | Expr::While(_)
        | Expr::ForLoop(_)
        | Expr::Macro(_)) => Ok(Task::Body(body.into_token_stream())),
        Expr::Async(block) => Err(no_async(block.async_token.span)),
        Expr::Await(wait) => Err(no_async(wait.await_token.span)),
        Expr::Try(question) => Err(errors::at(
            question.question_token.span,
            "`?` has no function to return from here",
            "`go!({ f(a)?; Ok(()) })` and the error comes out of `join()`",
        )),
        other => Err(errors::over(
            other,
            "expected something to run: a call, a block, a closure or a path to a function",
            TASK_FORM,
        )),
    }
}

fn check_closure(closure: ExprClosure) -> syn::Result<Task> {
    if let Some(word) = &closure.asyncness {
        return Err(no_async(word.span));
    }
    match closure.inputs.first() {
        Some(first) => Err(errors::over(
            first,
            "the closure of a goroutine takes no arguments",
            "`go!(|| ..)`, or call it at once: `go!((|x| ..)(a))`",
        )),
        None => Ok(Task::Closure(closure)),
    }
}

fn no_async(span: Span) -> syn::Error {
    errors::at(
        span,
        "a goroutine blocks where a future would wait: it needs no `async` and no `.await`",
        "`go!({ .. })` with blocking calls inside",
    )
}
