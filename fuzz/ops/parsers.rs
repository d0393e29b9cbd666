//! The macros on token soup: whatever stands in the brackets, the answer is tokens: an error, or sound Rust.
//!
//! The parsers are modules of a crate that exports nothing but macros, so the including crate root compiles them.

use super::bytes::Bytes;
use crate::main_attr::Kind;
use crate::{body_attr, go_expand, main_attr, select_expand};
use proc_macro2::{TokenStream, TokenTree};

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
    check_expression("go!", &input, go_expand::expand(input.clone()));
    check_expression("select!", &input, select_expand::expand(input.clone()));
    check_items("#[main]", &input, main_attr::expand(Kind::Main, args.clone(), input.clone()));
    check_items("#[test]", &input, main_attr::expand(Kind::Test, args.clone(), input.clone()));
    check_items("#[growable]", &input, body_attr::growable(args.clone(), input.clone()));
    check_items("#[preemptible]", &input, body_attr::preemptible(args, input.clone()));
}

/// The bytes as they are, but not so deep that the parser of tokens overflows its stack.
fn raw(bytes: &Bytes<'_>) -> String {
    let bytes = bytes.to_vec();
    let mut depth = 0;
    let shallow = bytes.iter().take(512).take_while(|byte| {
        depth += usize::from(b"([{".contains(byte));
        depth <= 32
    });
    String::from_utf8_lossy(&shallow.copied().collect::<Vec<_>>()).into_owned()
}

/// Words (0), pieces with a word in between now and then (1), or both alike (2); brackets are closed in the end.
fn spell(bytes: &mut Bytes<'_>, how: usize) -> String {
    let mut text = String::new();
    let mut open: Vec<char> = Vec::new();
    while !bytes.is_empty() && text.len() < 2048 {
        let byte = usize::from(bytes.next());
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

fn check_expression(macro_name: &str, input: &TokenStream, expansion: TokenStream) {
    check::<syn::Expr>(macro_name, input, expansion);
}

fn check_items(macro_name: &str, input: &TokenStream, expansion: TokenStream) {
    check::<syn::File>(macro_name, input, expansion);
}

fn check<T: syn::parse::Parse>(macro_name: &str, input: &TokenStream, expansion: TokenStream) {
    if has_error(&expansion) {
        return;
    }
    let text = expansion.to_string();
    if let Err(error) = syn::parse2::<T>(expansion) {
        panic!("{macro_name} of `{input}` gave `{text}`: {error}");
    }
}
