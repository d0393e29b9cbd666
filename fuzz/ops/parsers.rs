//! The macros on token soup: whatever stands in the brackets, the answer is tokens: an error, or sound Rust.
//!
//! The parsers are modules of a crate that exports nothing but macros, so the including crate root compiles them.

use super::bytes::Bytes;
use crate::main_attr::Kind;
use crate::{body_attr, go_expand, main_attr, select_expand};
use proc_macro2::{TokenStream, TokenTree};
use syn::Block;
use syn::parse::{Parse, Parser};

const WORDS: &[&str] = &[
    "<-", "=", "=>", ",", ";", "<", "-", ">", "==", "..=", "..", "|", "||", "&", "&&", "!", "?", ".", "::", ":", "#",
    "@", "$", "_", "'a", "1", "1u8", "0.5", "\"s\"", "b'x'", "v", "r", "rx", "tx", "f", "g", "T", "default", "after",
    "biased", "clone", "name", "stack", "pinned", "procs", "unsafe", "migrate", "if", "else", "match", "let", "mut",
    "ref", "move", "async", "await", "return", "break", "continue", "loop", "for", "in", "while", "fn", "main", "self",
    "Self", "case", "const", "static", "impl", "dyn", "where", "as", "->", "struct", "pub", "crate", "use", "try",
    "yield", "r#fn", "#[x]", "{ }", "( )", "[ ]", "|x|", "f(", "{", "(", "[", "\n",
];

/// Whole pieces, which a script strings together so that it comes near to sound input.
const PIECES: &[&str] = &[
    "v = <- rx => { f ( v ) }",
    "tx <- 1 if v => f ,",
    "after ( 1 ) => { }",
    "default => ( )",
    "biased ;",
    "r = tx <- S { a : 1 } => match r { _ => 1 }",
    "<- rx => if v { 1 } else { 2 } ,",
    "Some ( v ) = <- rx [ 0 ] . g ( ) ? => return v ,",
    "name = \"s\" ,",
    "clone tx , rx ;",
    "pinned , stack = 1 << 2 ;",
    "f ( tx , | v | v . rx ( ) ? )",
    "let v = tx . f ( 1 ) ; loop { v }",
    "tx . f :: < u8 > ( ) . rx ( move || 1 , async { 2 } )",
    "pub fn main ( ) -> impl F { loop { for v in rx { while f { } } } }",
    "# [ x ] unsafe fn f < T > ( & self , mut v : T ) -> & ! where T : F { [ 1 ; { loop { } } ] }",
    "procs = 4 , stack = 1 << 20 , unsafe ( migrate )",
    "fn f ( ) { }",
];

/// Deep nesting is a matter of the stack of the compiler, which a macro has no say in.
const MAX_DEPTH: usize = 12;

/// Runs the macros on what a script spells; panics if one of them does, or answers with unsound tokens.
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let (args, input) = match bytes.below(3) {
        0 => (String::new(), raw(&bytes)),
        1 => (spell(&mut bytes.take(6), 0), spell(&mut bytes, 1)),
        _ => (spell(&mut bytes.take(6), 2), spell(&mut bytes, 2)),
    };
    // What is no sequence of tokens never reaches a macro.
    let (Ok(args), Ok(input)) = (args.parse::<TokenStream>(), input.parse::<TokenStream>()) else { return };
    if depth(&input) > MAX_DEPTH || depth(&args) > MAX_DEPTH {
        return;
    }
    check::<syn::Expr>("go!", &input, go_expand::expand(input.clone()), all_statements);
    check::<syn::Expr>("select!", &input, select_expand::expand(input.clone()), |_| true);
    let main = main_attr::expand(Kind::Main, args.clone(), input.clone());
    check::<syn::File>("#[main]", &input, main, one_function);
    let test = main_attr::expand(Kind::Test, args.clone(), input.clone());
    check::<syn::File>("#[test]", &input, test, one_function);
    check::<syn::File>("#[growable]", &input, body_attr::growable(args.clone(), input.clone()), one_function);
    check::<syn::File>("#[preemptible]", &input, body_attr::preemptible(args, input.clone()), one_function);
}

/// The bytes as they are, but not so deep that the parser of tokens overflows its stack.
fn raw(bytes: &Bytes<'_>) -> String {
    let bytes = bytes.to_vec();
    let mut depth = 0;
    let shallow = bytes.iter().take(400).take_while(|byte| {
        depth += usize::from(b"([{".contains(byte));
        depth <= 32
    });
    String::from_utf8_lossy(&shallow.copied().collect::<Vec<_>>()).into_owned()
}

/// Words (0), pieces with a word in between now and then (1), or both alike (2); brackets are closed in the end.
fn spell(bytes: &mut Bytes<'_>, how: usize) -> String {
    let mut text = String::new();
    let mut open: Vec<char> = Vec::new();
    while !bytes.is_empty() && text.len() < 400 {
        let byte = usize::from(bytes.byte());
        let piece = how == 1 && byte % 8 != 0 || how == 2 && byte % 2 == 0;
        let word = if piece { PIECES[byte / 2 % PIECES.len()] } else { WORDS[byte % WORDS.len()] };
        match word {
            _ if byte >= 250 => text.extend(open.pop()),
            "{" | "(" | "[" | "f(" => {
                text += word;
                open.push(match word {
                    "{" => '}',
                    "[" => ']',
                    _ => ')',
                });
            }
            word => text += word,
        }
        text.push(' ');
    }
    text.extend(open.into_iter().rev());
    text
}

fn depth(tokens: &TokenStream) -> usize {
    let inner = tokens.clone().into_iter().map(|token| match token {
        TokenTree::Group(group) => 1 + depth(&group.stream()),
        _ => 0,
    });
    inner.max().unwrap_or(0)
}

/// Whether the expansion tells of a mistake; input that says so itself is let through.
fn has_error(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => has_error(&group.stream()),
        TokenTree::Ident(ident) => ident == "compile_error",
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Whether the input is statements, and so is what remains after each `;`: the last of these, behind the options, is
/// what `go!` hands on unread, for rustc to judge.
fn all_statements(input: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = input.clone().into_iter().collect();
    let is_end = |at: usize| matches!(&tokens[at], TokenTree::Punct(punct) if punct.as_char() == ';');
    let starts = std::iter::once(0).chain((0..tokens.len()).filter(|at| is_end(*at)).map(|at| at + 1));
    starts.into_iter().all(|at| Block::parse_within.parse2(tokens[at..].iter().cloned().collect()).is_ok())
}

/// Whether the input is a function with a sound body: attributes hand bodies on unread.
fn one_function(input: &TokenStream) -> bool {
    syn::parse2::<syn::ItemFn>(input.clone()).is_ok()
}

/// An expansion that tells of no mistake is sound Rust, unless it hands on what was not `sound` to begin with.
fn check<T: Parse>(name: &str, input: &TokenStream, expansion: TokenStream, sound: fn(&TokenStream) -> bool) {
    if has_error(&expansion) {
        return;
    }
    let text = expansion.to_string();
    if let Err(error) = syn::parse2::<T>(expansion) {
        assert!(!sound(input), "{name} of `{input}` gave `{text}`: {error}");
    }
}
