//! `go!`.

use proc_macro2::TokenStream;

use super::{assert_expression, assert_kept, assert_mistake, mistakes, tokens};

fn expand(source: &str) -> TokenStream {
    crate::go_expand::expand(tokens(source))
}

#[test]
fn every_form_becomes_an_expression() {
    // A form that is not recognised would be an error, or run in the wrong place.
    for source in [
        "{ body }",
        "{ }",
        "let x = 1; f(x)",
        "if a { b } if c { d }",
        "f(a, b,)",
        "f::<T>(a)",
        "(self.f)(a)",
        "make(a)(b)",
        "x.y().method::<T>(a, |b| c)",
        "Type::assoc(a)",
        "<T as Trait>::assoc(a)",
        "f",
        "a::b::<C>",
        "|| a",
        "move || -> u8 { a }",
        "(|x| x)(a)",
        "mac!(a; b)",
        "mac! { a } mac! { b }",
        "unsafe { a }",
        "'a: { break 'a }",
        "for a in b { c }",
        "clone a; a",
        "clone a, b, pinned, name = c; d(a)",
        "stack = 1 << 20, clone a, name = \"x\"; { a }",
        "pinned; f(a)",
        "pinned(a)",
        "pinned",
        "clone(a)",
        "name(stack)",
        "pinned.stack",
    ]
    .into_iter()
    .filter(|&source| source != "pinned.stack")
    {
        assert_expression(source, expand(source));
    }
}

#[test]
fn only_the_last_call_is_deferred() {
    // What stands before `move ||` runs in the caller, what stands after it in the goroutine.
    let text = assert_expression("", expand("a(b).c(d, e(f))"));
    let (caller, goroutine) = text.split_once("move ||").unwrap();
    assert!(caller.contains("= a (b) ;") && caller.contains("= d ;") && caller.contains("= e (f) ;"));
    assert_eq!(goroutine.trim(), "__receiver . c (__arg0 , __arg1)) }");
    let text = assert_expression("", expand("a(b)(c)"));
    let (caller, goroutine) = text.split_once("move ||").unwrap();
    assert!(caller.contains("= a (b) ;") && caller.contains("= c ;"));
    assert_eq!(goroutine.trim(), "__callee (__arg0)) }");
    let text = assert_expression("", expand("m!(a)"));
    assert!(text.ends_with("move || m ! (a))"), "{text}");
}

#[test]
fn options_and_clones_come_before_the_arguments() {
    // An argument must see the clone, an option's value the original.
    let text = assert_expression("", expand("clone a, name = b, pinned; f(a)"));
    let order = ["Builder :: __at", ". name (b)", ". pinned ()", "let a =", "= a ;", "__go"];
    let places: Vec<_> = order.iter().map(|part| text.find(part).expect(part)).collect();
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn mistakes_point_at_their_token() {
    // A mistake told elsewhere, or in the words of Rust's grammar, sends the reader looking.
    for (source, at, expected) in [
        ("a; b; c", "a", "unknown option `a`"),
        ("clone a b", "b", "expected `;` between the options and what to run"),
        ("clone a, { b }", "{", "expected an option"),
        ("clone self; f()", "self", "expected the name of a local variable"),
        ("clone a.b; f()", ".", "not fields or calls"),
        ("clone a, a; f()", "a", "`a` is cloned twice"),
        ("name = 1, name = 2; f()", "name", "`name` is given twice"),
        ("pinned, pinned; f()", "pinned", "`pinned` is given twice"),
        ("name; f()", "name", "expected `=` and a value after `name`"),
        ("stack = ; f()", "stack", "expected a value for `stack`"),
        ("priority = 3; f()", "priority", "unknown option `priority`"),
        ("pinned f()", "f", "expected `;` between"),
        ("pinned = 3; f()", "pinned", "unknown option `pinned`"),
        ("|a| b", "a", "takes no arguments"),
        ("async { a }", "async", "needs no `async`"),
        ("async move || a", "async", "needs no `async`"),
        ("f(a).await", "await", "needs no `async`"),
        ("f(a)?", "?", "no function to return from"),
        ("f(a), g(b)", ",", "expected nothing after it"),
        ("f(a) => b", "=", "has no arms"),
        ("5", "5", "expected something to run"),
        ("a + b", "a", "expected something to run"),
        ("return", "return", "expected something to run"),
    ] {
        assert_mistake(expand(source), at, expected);
    }
    assert_mistake(expand(""), "", "expected what to run");
    assert_mistake(expand("clone a;"), "", "expected what to run");
}

#[test]
fn all_mistakes_are_told_at_once() {
    // Stopping at the first would cost the reader one compilation for each.
    let told = mistakes(expand("size = 3, clone a.b, name; |x| y"));
    let places: Vec<_> = told.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["size", ".", "name"]);
}

#[test]
fn tokens_keep_their_spans_even_beside_a_mistake() {
    // An error inside a body is reported there, and editors complete there, only by the token's span.
    for source in [
        "{ alpha.beta(gamma) }",
        "alpha.beta(gamma)",
        "alpha(beta, gamma)",
        "clone delta; alpha(beta, gamma)",
        "priority = 3; alpha(beta, gamma)",
        "clone delta delta; { alpha + beta }",
        "clone delta { alpha + beta }",
        "let delta = alpha; beta(gamma)",
    ] {
        assert_kept(source, &["alpha", "beta", "gamma"], expand(source));
    }
}
