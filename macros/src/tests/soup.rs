//! Token soup: whatever stands in the brackets, the macros answer with tokens.

use proc_macro2::TokenStream;

use crate::main_attr::Kind;
use crate::{body_attr, go_expand, main_attr, select_expand};

const WORDS: &[&str] = &[
    "<-", "=", "=>", ",", ";", "<", "-", ">", "==", "..=", "|", "||", "&", "&&", "!", "?", ".", "::", ":", "#", "_",
    "'a", "1", "\"s\"", "v", "rx", "tx", "f", "default", "after", "biased", "clone", "name", "stack", "pinned",
    "procs", "unsafe", "migrate", "if", "else", "match", "let", "mut", "ref", "move", "async", "await", "return",
    "loop", "for", "in", "while", "fn", "main", "self", "case", "const", "impl", "->", "struct", "pub", "#[x]", "{ }",
    "( )", "[ ]",
];

const SOUND: &[&str] = &[
    "v = <- rx => { f ( v ) } tx <- 1 if v => f , after ( 1 ) => { } default => ( )",
    "biased ; r = tx <- S { a : 1 } => match r { _ => 1 } <- rx => if v { 1 } else { 2 }",
    "name = \"s\" , clone tx , rx , pinned , stack = 1 << 2 ; f ( tx , | v | v . rx ( ) ? )",
    "clone tx ; let v = tx . f ( 1 ) ; loop { v }",
    "tx . f :: < u8 > ( ) . rx ( move || 1 , async { 2 } )",
    "pub fn main ( ) -> impl F { loop { for v in rx { while f { } } } }",
    "# [ x ] unsafe fn f < T > ( & self , mut v : T ) -> & ! where T : F { [ 1 ; { loop { } } ] }",
    "procs = 4 , stack = 1 << 20 , unsafe ( migrate )",
];

/// xorshift: the same soups in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    /// Words in a row, some of them between brackets.
    fn soup(&mut self, depth: usize) -> String {
        let mut soup = String::new();
        for _ in 0..self.below(9) {
            let bracket = ["()", "[]", "{}"][self.below(3)];
            if depth > 0 && self.below(5) == 0 {
                let inner = self.soup(depth - 1);
                soup += &format!("{} {inner} {} ", &bracket[..1], &bracket[1..]);
            } else {
                soup += WORDS[self.below(WORDS.len())];
                soup += " ";
            }
        }
        soup
    }

    /// A sound input with a few words dropped, doubled or replaced.
    fn near_miss(&mut self) -> String {
        let sound = SOUND[self.below(SOUND.len())];
        let mut words: Vec<&str> = sound.split(' ').collect();
        for _ in 0..=self.below(3) {
            let at = self.below(words.len());
            match self.below(3) {
                0 => drop(words.remove(at)),
                1 => words.insert(at, words[at]),
                _ => words[at] = WORDS[self.below(WORDS.len())],
            }
        }
        words.join(" ")
    }
}

fn expand_all(args: &TokenStream, input: &TokenStream) -> [TokenStream; 6] {
    [
        go_expand::expand(input.clone()),
        select_expand::expand(input.clone()),
        main_attr::expand(Kind::Main, args.clone(), input.clone()),
        main_attr::expand(Kind::Test, args.clone(), input.clone()),
        body_attr::growable(args.clone(), input.clone()),
        body_attr::preemptible(args.clone(), input.clone()),
    ]
}

#[test]
fn no_input_makes_a_macro_panic() {
    // A panic in a macro is told at the whole call, without a word about what is wrong.
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut expanded = 0;
    for round in 0..12_000 {
        let source = if round % 2 == 0 { dice.soup(3) } else { dice.near_miss() };
        let args = dice.soup(1);
        // A near miss may have lost a bracket: that never reaches a macro.
        let (Ok(input), Ok(args)) = (source.parse(), args.parse()) else {
            continue;
        };
        let outcome = std::panic::catch_unwind(|| expand_all(&args, &input).len());
        assert!(outcome.is_ok(), "args `{args}`, input `{source}`");
        expanded += 1;
    }
    assert!(expanded > 8_000, "only {expanded} inputs had balanced brackets");
}
