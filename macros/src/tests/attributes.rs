//! The attributes.

use proc_macro2::TokenStream;

use super::{assert_kept, assert_mistake, mistakes, tokens};
use crate::main_attr::{Kind, expand};
use crate::{body_attr, main_attr};

fn main(args: &str, item: &str) -> TokenStream {
    expand(Kind::Main, tokens(args), tokens(item))
}

fn test(args: &str, item: &str) -> TokenStream {
    main_attr::expand(Kind::Test, tokens(args), tokens(item))
}

fn growable(item: &str) -> TokenStream {
    body_attr::growable(TokenStream::new(), tokens(item))
}

fn preemptible(item: &str) -> TokenStream {
    body_attr::preemptible(TokenStream::new(), tokens(item))
}

#[track_caller]
fn assert_item(expansion: TokenStream) -> String {
    let text = expansion.to_string();
    assert_eq!(mistakes(expansion.clone()), []);
    assert!(syn::parse2::<syn::File>(expansion).is_ok(), "{text}");
    text
}

#[test]
fn arguments_in_any_order() {
    // An argument that is dropped would leave its default in force.
    let text = assert_item(main("unsafe(migrate), stack = 1 << 20, procs = N,", "fn main() {}"));
    assert!(text.contains("procs : :: core :: option :: Option :: Some (N)"), "{text}");
    assert!(text.contains("stack : :: core :: option :: Option :: Some (1 << 20)"), "{text}");
    assert!(text.contains("migrate : true"), "{text}");
    let text = assert_item(test("", "fn f() {}"));
    assert!(text.contains("None , stack : :: core :: option :: Option :: None"), "{text}");
    assert!(text.contains("migrate : false"), "{text}");
}

#[test]
fn attributes_stay_with_what_they_speak_of() {
    // `#[ignore]` inside would do nothing, `#[inline]` or another macro outside would miss the body.
    let item = "#[ignore] #[doc = \"d\"] #[inline] #[other::macro_] pub fn f() -> R { body }";
    let text = assert_item(test("", item));
    let (outside, inside) = text.split_once("fn f () -> :: std :: process :: ExitCode").unwrap();
    assert!(outside.contains("ignore") && outside.contains("doc") && outside.contains("pub"));
    assert!(inside.contains("inline") && inside.contains("other :: macro_"), "{text}");
    let text = assert_item(test("", "#[should_panic] fn f() {}"));
    assert!(text.contains("fn f () {"), "{text}");
}

/// Arguments, item, the token that the error points at, and what it says.
#[rustfmt::skip]
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    (
        "threads = 2",
        "fn main() {}",
        "threads",
        "unknown argument `threads`",
    ),
    (
        "procs",
        "fn main() {}",
        "procs",
        "expected `procs = ` and a number",
    ),
    (
        "procs =",
        "fn main() {}",
        "procs",
        "expected `procs = ` and a number",
    ),
    (
        "procs = \"4\"",
        "fn main() {}",
        "\"4\"",
        "`procs` is a number",
    ),
    (
        "procs = 0",
        "fn main() {}",
        "0",
        "`procs` must be at least 1",
    ),
    (
        "procs = 1, procs = 2",
        "fn main() {}",
        "procs",
        "`procs` is given twice",
    ),
    ("migrate", "fn main() {}", "migrate", "is a promise"),
    (
        "unsafe(migrat)",
        "fn main() {}",
        "(",
        "expected `(migrate)`",
    ),
    ("unsafe", "fn main() {}", "", "expected `(migrate)`"),
    (
        "procs = 1 stack = 2",
        "fn main() {}",
        "stack",
        "expected `,`",
    ),
    ("4", "fn main() {}", "4", "expected an argument"),
    ("", "async fn main() {}", "async", "needs no `async fn`"),
    ("", "const fn main() {}", "const", "`const fn`"),
    ("", "fn main(args: A) {}", "args", "takes no arguments"),
    ("", "fn main<T>() {}", "<", "cannot be generic"),
    ("", "unsafe fn main() {}", "unsafe", "cannot be `unsafe`"),
    ("", "extern \"C\" fn main() {}", "extern", "plain Rust `fn`"),
    ("", "fn start() {}", "start", "goes on `fn main`"),
    ("", "struct Main;", "struct", "goes on a function"),
    ("", "fn main();", "fn", "goes on a function with a body"),
];

#[test]
fn mistakes_point_at_their_token() {
    // A mistake told at the whole attribute leaves the reader to find the argument.
    for &(args, item, at, expected) in MISTAKES {
        assert_mistake(main(args, item), at, expected);
    }
    assert_mistake(test("procs = 2", "fn f() {}"), "procs", "`procs` is not theirs");
    assert_mistake(test("", "#[test] fn f() {}"), "#", "stands in place of `#[test]`");
    assert_mistake(growable("async fn f() {}"), "async", "needs no `async fn`");
    assert_mistake(growable("const fn f() {}"), "const", "`const fn`");
    assert_mistake(growable("#[doc = \"d\"] impl T {}"), "impl", "goes on a function");
    assert_mistake(preemptible("async fn f() {}"), "async", "needs no `async fn`");
    assert_mistake(body_attr::growable(tokens("stack = 3"), tokens("fn f() {}")), "stack", "takes no arguments");
}

#[test]
fn the_item_survives_a_mistake() {
    // Without it every use of the function would be reported too, and editors would know nothing of it.
    for item in ["fn main() { alpha }", "async fn main() { alpha }", "fn main(beta: B) { alpha }"] {
        assert_kept(item, &["alpha"], main("threads = 2", item));
    }
    assert_kept("struct S { alpha: A }", &["alpha"], main("", "struct S { alpha: A }"));
    assert_kept("const fn f() { alpha }", &["alpha"], growable("const fn f() { alpha }"));
}

#[test]
fn growable_names_the_return_type_unless_it_cannot() {
    // Without it `?` has no type; with `impl Trait` in it a closure does not compile.
    let text = assert_item(growable("fn f(&self, mut a: A) -> Result<B, C> { body }"));
    assert!(text.contains("growable (move || -> Result < B , C > { body })"), "{text}");
    let text = assert_item(growable("fn f() -> Box<[impl T]> { body }"));
    assert!(text.contains("growable (move || { body })"), "{text}");
}

#[test]
fn checkpoints_stand_in_loops_that_run() {
    // In a constant or a nested function the call does not compile, or is not asked for.
    let count = |item| assert_item(preemptible(item)).matches("checkpoint").count();
    assert_eq!(count("fn f() { loop { while a { for b in c { d } } } }"), 3);
    assert_eq!(count("fn f() { let g = |x| { loop { x } }; if a { 'l: loop {} } }"), 2);
    assert_eq!(count("fn f() { fn g() { loop {} } const C: A = { loop {} }; m!(loop {}) }"), 0);
    assert_eq!(count("fn f() { let a: [u8; { loop {} }] = [0; { loop {} }]; const { loop {} } }"), 0);
    assert_eq!(count("fn f() { g::<{ loop {} }>([{ loop {} }; 3]) }"), 1);
    let text = assert_item(preemptible("fn f() { loop { body } }"));
    assert!(text.contains("loop { :: gaggle :: checkpoint () ; body }"), "{text}");
}
