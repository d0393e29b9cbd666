//! Do two binary trees hold the same values? Each is walked by its own goroutine, and the walks are compared.
//!
//! The idea is the exercise "Equivalent Binary Trees" of "A Tour of Go".
//!
//! Pinned mode, the default. A walk is recursive, and a tree may be as deep as it has nodes: `#[gaggle::growable]`
//! lets the recursion go on when the goroutine's stack is full. In the exercise, walks that nobody listens to any
//! more stay blocked for ever; here their next send fails, and they end.

use gaggle::{JoinHandle, Receiver, Sender, chan, go};

type Link = Option<usize>;

#[derive(Clone, Copy)]
struct Node {
    left: Link,
    value: u32,
    right: Link,
}

/// Nodes by index: a tree of boxes that is 50,000 levels deep would overflow the stack as it is dropped.
#[derive(Clone, Default)]
struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    fn of(values: impl IntoIterator<Item = u32>) -> Tree {
        let mut tree = Tree::default();
        values.into_iter().for_each(|value| tree.insert(value));
        tree
    }

    /// 0, 1, 2, … each to the right of the one before: a list by another name.
    fn list(len: u32) -> Tree {
        let right = |value| (value + 1 < len).then_some(value as usize + 1);
        Tree { nodes: (0..len).map(|value| Node { left: None, value, right: right(value) }).collect() }
    }

    fn insert(&mut self, value: u32) {
        let new = self.nodes.len();
        let mut at = 0;
        while let Some(node) = self.nodes.get_mut(at) {
            let side = if value < node.value { &mut node.left } else { &mut node.right };
            at = *side.get_or_insert(new);
        }
        self.nodes.push(Node { left: None, value, right: None });
    }

    /// Sends the values in order; false as soon as nobody listens.
    #[gaggle::growable]
    fn walk(&self, from: Link, values: &Sender<u32>) -> bool {
        let Some(node) = from.and_then(|index| self.nodes.get(index)) else { return true };
        self.walk(node.left, values) && values.send(node.value).is_ok() && self.walk(node.right, values)
    }

    fn walking(self) -> (Receiver<u32>, JoinHandle<bool>) {
        let (tx, rx) = chan(16);
        (rx, go!({ self.walk(Some(0), &tx) }))
    }
}

/// Compares value by value, and stops at the first difference. Also says whether both walks came to their ends.
fn same(one: &Tree, other: &Tree) -> (bool, bool) {
    let (ours, our_walk) = one.clone().walking();
    let (theirs, their_walk) = other.clone().walking();
    let same = ours.iter().eq(theirs.iter());
    drop((ours, theirs));
    let ends = [our_walk, their_walk].map(|walk| walk.join().expect("a walk does not panic"));
    (same, ends == [true, true])
}

/// The numbers below `len`, in an order that depends on `seed`: a shuffle by a small generator of our own.
fn shuffled(len: u32, mut seed: u64) -> Vec<u32> {
    let mut values: Vec<u32> = (0..len).collect();
    for i in (1..values.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        values.swap(i, (seed >> 33) as usize % (i + 1));
    }
    values
}

#[gaggle::main]
fn main() {
    let len = 50_000;
    let tree = Tree::of(shuffled(len, 1));
    let say = |what: &str, (same, to_the_end): (bool, bool)| {
        let walks = if to_the_end { "walked to the end" } else { "stopped early" };
        println!("{what}: {}, {walks}", if same { "the same" } else { "different" });
    };
    say("the same values in another order", same(&tree, &Tree::of(shuffled(len, 2))));
    say("one value more", same(&tree, &Tree::of(shuffled(len + 1, 3))));
    say("twice the values from 1 on", same(&tree, &Tree::of(shuffled(len, 4).iter().map(|v| v * 2 + 1))));
    say("the same values as a list", same(&tree, &Tree::list(len)));
}
