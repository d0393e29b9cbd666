//! `select!`.

use proc_macro2::TokenStream;

use super::{assert_expression, assert_kept, assert_mistake, leaves, mistakes, tokens};

fn expand(source: &str) -> TokenStream {
    crate::select_expand::expand(tokens(source))
}

#[test]
fn every_arm_becomes_an_expression() {
    // An arm that is not recognised would be an error, or wait for something else.
    for source in [
        "",
        "biased;",
        "v = <-rx => a",
        "v =<-rx => a,",
        "mut v = <-rx => {}",
        "(a, ref b) = <-rx => {} S { c, .. } = <-rx => {}",
        "x @ 1..=5 = <-rx => {}",
        "Some(_) | None = <-rx => {}",
        "Pair(a, b) = <-rx => {}",
        "<-rx => a, <-ry => b",
        "<-if a { b } else { c } => {}",
        "<-rx if if a { b } else { c } => {}",
        "tx <- v => a",
        "tx <- S { a: 1, b } => a",
        "tx <- a < -b => c",
        "tx <- -1 => c",
        "r = tx <- v => a",
        "r = x.y[0].z() <- v if w => a",
        "f::<A, B>() <- v => a",
        "f::<-1>() <- v => a",
        "after(d) => a",
        "after(d,) if b => a",
        "after(d) <- v => a",
        "v = <-after(d) => a",
        "default => a",
        "default <- v => a",
        "default = <-v => a",
        "biased; default => a",
        "biased <- v => a",
        "v = <-rx => { a } w = <-ry => { b } default => { c }",
        "v = <-rx => if a { b } w = <-ry => match c { _ => d } default => loop {}",
        "v = <-rx => return, w = <-ry => break 'a, default => continue",
        "v = <-rx if x == (S { a: 1 }) => y = z,",
        "v = <-rx => |a, b| c, default => f::<A, B>(),",
    ] {
        assert_expression(source, expand(source));
    }
}

/// Input, the token that the error points at, and what it says.
#[rustfmt::skip]
const MISTAKES: &[(&str, &str, &str)] = &[
    ("v = <-rx", "v", "expected `=>`"),
    ("v = <-rx { a }", "{", "expected `=>`"),
    ("v = <-rx, default => {}", ",", "expected `=>`"),
    ("v = rx => a", "rx", "expected `<-` before the channel"),
    ("v = <- => a", "<", "expected a channel after `<-`"),
    ("<- if a => b", "<", "expected a channel after `<-`"),
    ("tx <- => a", "<", "expected a value to send"),
    ("tx. <- v => a", "tx", "expected a channel before `<-`"),
    ("r = tx <- v <- w => a", "<", "unexpected operator"),
    ("v = <-rx => a.1.if, default => b", "if", "expected"),
    ("Some(a) = <-rx => b", "Some", "does not always match"),
    ("(1) = <-rx => b", "(1)", "does not always match"),
    ("v: u8 = <-rx => a", ":", "has no type of its own"),
    ("1 + 1 = <-rx => c", "+", "expected `=` after the pattern"),
    ("f() = <-rx => c, = <-rx => c", "=", "expected a pattern"),
    ("rx => a", "rx", "expected an arm of select!"),
    ("case v := <-rx => a", "case", "without Go's `case`"),
    ("else => a", "else", "expected `default`"),
    ("recv(rx) -> v => a", "recv", "expected an arm with `<-`"),
    ("default(d) => a", "default", "`after(d)`"),
    ("default if a => b", "if", "`default` takes no guard"),
    (
        "default => a, default => b",
        "default",
        "a second `default` arm",
    ),
    (
        "after(d) => a, after(e) => b",
        "after",
        "a second `after` arm",
    ),
    ("after() => a", "after", "expected a duration"),
    ("after(d, e) => a", "e", "takes one duration"),
    (
        "v = <-rx => a, biased; w = <-rx => b",
        "biased",
        "`biased` comes first",
    ),
    (
        "biased; biased; w = <-rx => b",
        "biased",
        "`biased` comes first",
    ),
    (
        "biased, v = <-rx => b",
        "biased",
        "expected `;` after `biased`",
    ),
    ("v = <-rx if => a", "if", "expected a condition"),
    (
        "v = <-rx if let a = b => c",
        "let",
        "`let` has no place in it",
    ),
    (
        "v = <-rx => a w = <-rx => b",
        "w",
        "expected `,` between arms",
    ),
    ("v = <-rx => , default => b", ",", "expected what to do"),
    ("#[cfg(a)] v = <-rx => a", "#", "no attributes"),
];

#[test]
fn mistakes_point_at_their_token() {
    // A mistake told elsewhere, or in the words of Rust's grammar, sends the reader looking.
    for &(source, at, expected) in MISTAKES {
        assert_mistake(expand(source), at, expected);
    }
    assert_mistake(expand("v = <-rx =>"), "", "expected what to do");
}

#[test]
fn sound_arms_survive_broken_ones() {
    // Editors complete inside `alpha.` only if the arm around it is expanded, whatever its neighbours are.
    for source in [
        "rx => beta, v = <-gamma => alpha.x",
        "v = <-gamma, w = <-ry => alpha.x",
        "v = <-gamma => alpha.x, default => a, default => b",
        "v = gamma => alpha.x",
        "v = <-gamma { alpha.x }",
        "v = <-rx => a w = <-gamma => alpha.x",
        "default if gamma => alpha.x",
    ] {
        let expansion = expand(source);
        assert!(!mistakes(expansion.clone()).is_empty());
        // A guard of `default` and an arm that ends before its `=>` are not expanded themselves.
        let lost = source.starts_with("v = <-gamma,") || source.starts_with("default if");
        let wanted: &[&str] = if lost { &["alpha"] } else { &["alpha", "gamma"] };
        assert_kept(source, wanted, expansion);
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    // Stopping at the first would cost the reader one compilation for each.
    let told = mistakes(expand("a => b, v = rx => c, after() => d, <-rx => e, default if f => {}"));
    let places: Vec<_> = told.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["a", "rx", "after", "if"]);
}

#[test]
fn tokens_keep_their_spans() {
    // A type error in an operand, a pattern or a body is reported there only by the token's span.
    let source = "biased; alpha = <-beta if gamma => { delta } \
        epsilon <- zeta => eta, after(theta) => iota, default => kappa";
    let wanted = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"];
    assert_kept(source, &wanted, expand(source));
}

#[test]
fn operands_are_evaluated_in_source_order_before_any_body() {
    // Go's rule; the guard of an arm comes before what it guards.
    let source = "b = <-a if c => x, d <- e if f => y, g = h <- i => z, after(j) if k => w";
    let text: Vec<_> = leaves(expand(source)).iter().map(ToString::to_string).collect();
    let place = |name: &str| text.iter().position(|token| token == name).unwrap();
    let order = ["c", "a", "f", "d", "e", "h", "i", "k", "j", "block_until", "x", "y", "z", "w"];
    let places: Vec<_> = order.iter().map(|name| place(name)).collect();
    assert!(places.is_sorted(), "{text:?}");
}

#[test]
fn the_call_fits_the_arms() {
    // Blocking where `default` stands, or polling where nothing else does, would be the wrong select.
    for (source, call, biased) in [
        ("<-a => b", "block", "false"),
        ("biased; <-a => b", "block", "true"),
        ("<-a => b, after(d) => c", "block_until", "false"),
        ("<-a => b, default => c", "poll", "false"),
        ("biased; <-a => b, default => c, after(d) => e", "poll", "true"),
        ("", "forever", "forever"),
    ] {
        let text: Vec<_> = leaves(expand(source)).iter().map(ToString::to_string).collect();
        let calls = ["block", "block_until", "poll", "forever"];
        let called: Vec<_> = text.iter().filter(|text| calls.contains(&text.as_str())).collect();
        assert_eq!(called, [call], "{source}");
        assert!(text.iter().any(|text| text == biased), "{source}");
    }
}
