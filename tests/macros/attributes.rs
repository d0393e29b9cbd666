//! `#[gaggle::test]`, `#[gaggle::growable]` and `#[gaggle::preemptible]`. `#[gaggle::main]` is tried on
//! whole programs, in `tests/ui/pass`.

use std::fmt::Display;
use std::num::ParseIntError;

use gaggle::{chan, go};

#[gaggle::test]
fn a_test_may_block() {
    // On the test's own thread a rendezvous works as well; this is the plain form.
    let (tx, rx) = chan(0);
    let handle = go!(tx.send(3));
    assert_eq!(rx.recv(), Some(3));
    assert!(handle.join().unwrap().is_ok());
}

#[gaggle::test]
fn a_test_may_return_a_result() -> Result<(), ParseIntError> {
    // `?` returns from the test's own function and not from an expansion's closure.
    let number: i32 = "12".parse()?;
    if number == 12 {
        return Ok(());
    }
    panic!("parsed {number}");
}

#[gaggle::test]
#[should_panic(expected = "on purpose")]
fn a_panic_reaches_the_harness() {
    // A panic that stayed in the goroutine would let every failing test pass.
    panic!("on purpose");
}

#[gaggle::test]
#[should_panic(expected = "non-zero status code")]
fn an_error_fails_the_test() {
    // An error that is not reported would let the test pass; run here as libtest runs it.
    #[gaggle::test]
    #[allow(unnameable_test_items)]
    fn inner() -> Result<(), String> {
        Err("the test's error".to_owned())
    }
    let outcome = inner();
    let success = format!("{:?}", std::process::ExitCode::SUCCESS);
    assert_eq!(format!("{outcome:?}"), success, "non-zero status code");
}

#[gaggle::test(stack = 64 << 10, unsafe(migrate))]
fn arguments_in_both_kinds() {
    // An argument that is read and then forgotten would leave the default, which is bigger.
    assert!(gaggle::stack::remaining() < 64 << 10);
}

#[gaggle::test(unsafe(migrate))]
#[allow(clippy::needless_return, reason = "`return` in a test is what is tried")]
fn a_test_that_returns_early() {
    // `return` ends the test's goroutine only.
    return;
}

/// Functions of every shape that `#[growable]` wraps in a closure.
struct Tree {
    value: i32,
    children: Vec<Tree>,
}

impl Tree {
    #[gaggle::growable]
    fn sum(&self) -> i32 {
        self.value + self.children.iter().map(Tree::sum).sum::<i32>()
    }

    #[gaggle::growable]
    fn last_mut(&mut self) -> &mut i32 {
        match self.children.last_mut() {
            Some(last) => last.last_mut(),
            None => &mut self.value,
        }
    }

    #[gaggle::growable]
    fn find<'a>(&'a self, wanted: &str, mut seen: Vec<&'a str>) -> Result<&'a Tree, ParseIntError> {
        let wanted_value: i32 = wanted.parse()?;
        seen.push("one more");
        if self.value == wanted_value || seen.len() > 10 {
            return Ok(self);
        }
        for child in &self.children {
            let found = child.find(wanted, seen.clone())?;
            if found.value == wanted_value {
                return Ok(found);
            }
        }
        Ok(self)
    }

    #[gaggle::growable]
    fn into_values(self) -> impl Iterator<Item = i32> {
        let Tree { value, children } = self;
        let rest: Vec<i32> = children.into_iter().flat_map(|child| child.boxed()).collect();
        std::iter::once(value).chain(rest)
    }

    #[gaggle::growable]
    fn boxed(self) -> Box<dyn Iterator<Item = i32>> {
        Box::new(self.into_values())
    }
}

fn tree() -> Tree {
    let leaf = |value| Tree { value, children: Vec::new() };
    Tree { value: 1, children: vec![leaf(2), Tree { value: 3, children: vec![leaf(4)] }] }
}

#[test]
fn growable_keeps_the_meaning_of_every_signature() {
    // References in and out, `?`, `return`, `mut` arguments, `impl Trait` and moves through the closure.
    let mut tree = tree();
    assert_eq!(tree.sum(), 10);
    *tree.last_mut() = 14;
    assert_eq!(tree.find("14", Vec::new()).unwrap().value, 14);
    assert!(tree.find("x", Vec::new()).is_err());
    assert_eq!(tree.into_values().collect::<Vec<_>>(), [1, 2, 3, 14]);
}

#[test]
fn growable_on_generic_and_diverging_functions() {
    // A closure cannot name `impl Trait`, but it must still know `T` and `!`.
    #[gaggle::growable]
    fn show<T, const N: usize>(values: [T; N], from: impl Into<usize>) -> String
    where
        T: Clone + Display,
    {
        let from = from.into();
        match values.get(from) {
            Some(value) => format!("{value} {}", show(values.clone(), from + 1)),
            None => String::new(),
        }
    }
    #[gaggle::growable]
    fn give_up(after: u8) -> ! {
        match after {
            0 => panic!("gave up"),
            more => give_up(more - 1),
        }
    }
    assert_eq!(show(["a", "b", "c"], 0_usize), "a b c ");
    assert!(std::panic::catch_unwind(|| give_up(3)).is_err());
}

#[gaggle::test(stack = 64 << 10)]
fn growable_recursion_leaves_the_first_stack_behind() {
    // Without the check at the head this overflows a stack of 64 KiB many times over.
    #[gaggle::growable]
    fn depth(level: u32) -> u32 {
        let frame = std::hint::black_box([level; 64]);
        if level == 0 { 0 } else { depth(frame[7] - 1) + 1 }
    }
    assert_eq!(depth(50_000), 50_000);
}

#[test]
fn preemptible_keeps_the_meaning_of_every_loop() {
    // A checkpoint in the wrong place would change a value, a label, or be called in a constant.
    #[gaggle::preemptible]
    fn work(limit: usize) -> (usize, usize, Vec<usize>) {
        const fn table() -> usize {
            let mut n = 0;
            while n < 4 {
                n += 1;
            }
            n
        }
        let sizes = [0; {
            let mut n = 0;
            while n < 3 {
                n += 1;
            }
            n
        }];
        let found = 'outer: loop {
            for n in 0..limit {
                if n % 2 == 0 {
                    continue;
                }
                if n == 7 {
                    break 'outer n;
                }
            }
        };
        let mut rounds = 0;
        while let Some(next) = Some(rounds + 1).filter(|&next| next < limit) {
            rounds = next;
        }
        let collect = |upto| {
            let mut all = Vec::new();
            for n in 0..upto {
                all.push(n);
            }
            all
        };
        (found + sizes.len() + table(), rounds, collect(3))
    }
    assert_eq!(work(10), (14, 9, vec![0, 1, 2]));
}

#[gaggle::growable]
#[gaggle::preemptible]
extern "C" fn both_on_a_c_function(mut limit: u32) -> u32 {
    let mut steps = 0;
    while limit > 0 {
        limit -= 1;
        steps += 1;
    }
    steps
}

#[test]
fn attributes_go_together() {
    // The second attribute must see a function, whatever the first made of it.
    let function: extern "C" fn(u32) -> u32 = both_on_a_c_function;
    assert_eq!(function(3), 3);
}
