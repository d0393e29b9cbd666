//! `#[main]` and `#[test]`: the function keeps its name and moves inside a new one, which runs it as a
//! goroutine and gives its outcome as an exit code.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, ReturnType, Signature, Token, Type, token};

use crate::errors::{self, Errors};
use crate::function::{self, Function};
use crate::tokens;

/// Which of the two attributes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Main,
    Test,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Main => "main",
            Kind::Test => "test",
        }
    }

    fn item_form(self) -> &'static str {
        match self {
            Kind::Main => "`#[gaggle::main] fn main() { .. }`",
            Kind::Test => "`#[gaggle::test] fn it_works() { .. }`",
        }
    }

    fn args_form(self) -> &'static str {
        match self {
            Kind::Main => "`#[gaggle::main(procs = 4, stack = 1 << 20, unsafe(migrate))]`",
            Kind::Test => "`#[gaggle::test(stack = 1 << 20, unsafe(migrate))]`",
        }
    }
}

#[derive(Default)]
struct Args {
    procs: Option<Expr>,
    stack: Option<Expr>,
    migrate: bool,
}

pub(crate) fn expand(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    let function = match function::read(kind.name(), kind.item_form(), &item) {
        Ok(function) => function,
        Err(error) => {
            let error = error.to_compile_error();
            return quote!(#error #item);
        }
    };
    let mut errors = Errors::default();
    let args = read_args(kind, args, &mut errors);
    check_signature(kind, &function, &mut errors);
    if !errors.is_empty() {
        return keep_for_editors(&errors, function);
    }
    wrap(kind, &args, function)
}

/// The mistakes, and the function inside one that is sound, so that nothing else is reported.
fn keep_for_editors(errors: &Errors, function: Function) -> TokenStream {
    let errors = errors.to_tokens();
    let (vis, name) = (&function.vis, &function.sig.ident);
    quote!(#errors #[allow(unused)] #vis fn #name() { #function })
}

fn wrap(kind: Kind, args: &Args, mut function: Function) -> TokenStream {
    let (outer, inner) = function.attrs.drain(..).partition::<Vec<_>, _>(stays_outside);
    let should_panic = outer.iter().any(|attr| attr.path().is_ident("should_panic"));
    function.attrs = inner;
    let vis = std::mem::replace(&mut function.vis, syn::Visibility::Inherited);
    let name = &function.sig.ident;
    let report = report(&function.sig);
    let attr = attr_value(args);
    let run = match kind {
        Kind::Main => quote!(::gaggle::__private::main(#attr, || #report)),
        Kind::Test => quote!(::gaggle::__private::test(#attr, || #report)),
    };
    let test = (kind == Kind::Test).then(|| quote!(#[::core::prelude::v1::test]));
    // libtest wants `()` of a test that should panic.
    let (output, run) = if kind == Kind::Test && should_panic {
        (TokenStream::new(), quote!(let _ = #run;))
    } else {
        (quote!(-> ::std::process::ExitCode), run)
    };
    quote! {
        #test
        #(#outer)*
        #vis fn #name() #output {
            #function
            #run
        }
    }
}

/// `main()` turned into an exit code. A `!` turns into anything by itself.
fn report(sig: &Signature) -> TokenStream {
    let name = &sig.ident;
    match &sig.output {
        ReturnType::Type(_, output) if matches!(**output, Type::Never(_)) => quote!(#name()),
        ReturnType::Type(_, output) => {
            // Shown at the return type, should it be nothing that `main` may return.
            let (first, _) = tokens::ends(output);
            let name = Ident::new(&name.to_string(), name.span().located_at(first));
            let call = quote_spanned!(first.resolved_at(Span::call_site())=> #name());
            quote!(::std::process::Termination::report(#call))
        }
        ReturnType::Default => quote!(::std::process::Termination::report(#name())),
    }
}

fn attr_value(args: &Args) -> TokenStream {
    let option = |value: &Option<Expr>| match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    };
    let (procs, stack, migrate) = (option(&args.procs), option(&args.stack), args.migrate);
    quote!(::gaggle::__private::Attr { procs: #procs, stack: #stack, migrate: #migrate })
}

/// What speaks of the item as a whole. The rest (`#[inline]`, other macros' attributes) goes with the
/// body; lints hold for both, as the outer function contains the inner one.
fn stays_outside(attr: &Attribute) -> bool {
    const OUTSIDE: [&str; 11] =
        ["cfg", "cfg_attr", "doc", "allow", "warn", "deny", "forbid", "expect", "ignore", "should_panic", "test"];
    OUTSIDE.iter().any(|name| attr.path().is_ident(name))
}

fn check_signature(kind: Kind, function: &Function, errors: &mut Errors) {
    let (sig, form) = (&function.sig, kind.item_form());
    let what = kind.name();
    function::refuse_async_and_const(what, form, sig, errors);
    if kind == Kind::Main && sig.ident != "main" {
        let expected = "`#[gaggle::main]` goes on `fn main`; elsewhere, call `gaggle::run`";
        errors.push(errors::at(sig.ident.span(), expected, form));
    }
    if !sig.inputs.is_empty() {
        let expected = format!("the function under `#[gaggle::{what}]` takes no arguments");
        errors.push(errors::over(&sig.inputs, expected, form));
    }
    if !sig.generics.params.is_empty() {
        let expected = format!("the function under `#[gaggle::{what}]` cannot be generic");
        errors.push(errors::over(&sig.generics, expected, form));
    }
    if let Some(abi) = &sig.abi {
        let expected = format!("the function under `#[gaggle::{what}]` is a plain Rust `fn`");
        errors.push(errors::over(abi, expected, form));
    }
    if !matches!(sig.safety, syn::Safety::Default) {
        let expected = format!("the function under `#[gaggle::{what}]` cannot be `unsafe`");
        errors.push(errors::over(&sig.safety, expected, form));
    }
    if let Some(twice) = function.attrs.iter().find(|attr| attr.path().is_ident("test")) {
        let expected = format!("`#[gaggle::{what}]` stands in place of `#[test]`");
        errors.push(errors::over(twice, expected, form));
    }
}

fn read_args(kind: Kind, args: TokenStream, errors: &mut Errors) -> Args {
    let mut read = Args::default();
    let parser = |input: ParseStream| {
        while !input.is_empty() {
            if let Err(error) = read_arg(kind, input, &mut read) {
                errors.push(error);
                tokens::take_until(input, |input| input.peek(Token![,]));
            }
            let _ = input.parse::<Option<Token![,]>>();
        }
        Ok(())
    };
    match parser.parse2(args) {
        Ok(()) => {}
        Err(error) => errors.push(error),
    }
    read
}

fn read_arg(kind: Kind, input: ParseStream, args: &mut Args) -> syn::Result<()> {
    let form = kind.args_form();
    let place = tokens::next_span(input);
    let twice = |word: &str| errors::at(place, format_args!("`{word}` is given twice"), form);
    if input.peek(Token![unsafe]) {
        input.parse::<Token![unsafe]>()?;
        read_migrate(input, form)?;
        let first = !std::mem::replace(&mut args.migrate, true);
        return if first { end_of_arg(input, form) } else { Err(twice("unsafe(migrate)")) };
    }
    let Ok(word) = input.call(Ident::parse_any) else {
        return Err(errors::at(place, "expected an argument", form));
    };
    let slot = match word.to_string().as_str() {
        "procs" if kind == Kind::Test => {
            let expected = "tests run in the runtime of their process, so `procs` is not theirs";
            return Err(errors::at(place, expected, form));
        }
        "procs" => &mut args.procs,
        "stack" => &mut args.stack,
        "migrate" => {
            let expected = "`migrate` is a promise that the compiler cannot check: `unsafe(migrate)`";
            return Err(errors::at(place, expected, form));
        }
        other => {
            let expected = format!("unknown argument `{other}`");
            return Err(errors::at(place, expected, form));
        }
    };
    if slot.is_some() {
        return Err(twice(&word.to_string()));
    }
    *slot = Some(read_value(input, &word, form)?);
    end_of_arg(input, form)
}

fn read_value(input: ParseStream, word: &Ident, form: &str) -> syn::Result<Expr> {
    let missing = || errors::at(word.span(), format_args!("expected `{word} = ` and a number"), form);
    input.parse::<Token![=]>().map_err(|_| missing())?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(missing());
    }
    let value: Expr = input.parse().map_err(|error| errors::explained(error, form))?;
    match &value {
        Expr::Lit(literal) if !matches!(literal.lit, syn::Lit::Int(_)) => {
            Err(errors::over(literal, format_args!("`{word}` is a number, not this"), form))
        }
        Expr::Lit(literal) if literal.to_token_stream().to_string() == "0" => {
            Err(errors::over(literal, format_args!("`{word}` must be at least 1"), form))
        }
        _ => Ok(value),
    }
}

fn read_migrate(input: ParseStream, form: &str) -> syn::Result<()> {
    let place = tokens::next_span(input);
    let wrong = || errors::at(place, "expected `(migrate)` after `unsafe`", form);
    if !input.peek(token::Paren) {
        return Err(wrong());
    }
    let content;
    syn::parenthesized!(content in input);
    let word = content.call(Ident::parse_any);
    let excess = tokens::take_until(&content, |_| false);
    match word {
        Ok(word) if word == "migrate" && excess.is_empty() => Ok(()),
        _ => Err(wrong()),
    }
}

fn end_of_arg(input: ParseStream, form: &str) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    Err(errors::at(tokens::next_span(input), "expected `,` between the arguments", form))
}
