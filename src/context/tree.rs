//! The tree behind contexts: who is cancelled with whom.
//!
//! A [`Scope`] is what contexts and cancel functions hold; it knows its parent. A [`Node`] is what the parent holds of
//! it: the channel, how it ended, and the children. So the references upwards and those downwards never meet.
//!
//! # Invariants
//! 1. `ended` changes once, from `OPEN`, under the lock of `state`, which also closes the channel. Whoever sees the
//!    channel closed by it sees `ended`; whoever sees `ended` and the channel still open waits for the lock.
//! 2. A node that has ended has no children and no timer, and gets none.
//! 3. The channel has a receiver while its scope exists, in each receiver handed out, and in each entry of `children`.
//!    So a channel that is closed before its node has ended has nobody left who could be told: the node may go. A node
//!    whose scope is gone stays with its parent until then, and is found by a sweep, when the children have doubled.
//! 4. References go from child scope to parent scope, from scope to node, from parent node to child node, from the
//!    pending deadline to the node: no cycle.
//!
//! # Locking
//! `state`: guarded by its lock (rank Time), held while the channel is closed (Chan) and while a deadline is set
//! (Deadline). No two nodes are locked at once. A user's closure is neither run nor dropped under it.

use super::outside::{self, Timer};
use super::{Cause, ContextError};
use crate::chan::{Receiver, Sender, chan};
use crate::go::Site;
use crate::primitives::atomic::{AtomicU8, Ordering};
use crate::primitives::sync::Arc;
use crate::primitives::{Lock, LockRank, sequence};
use std::collections::BTreeMap;
use std::time::Instant;

const OPEN: u8 = 0;
const CANCELED: u8 = 1;
const DEADLINE_EXCEEDED: u8 = 2;

const FIRST_SWEEP: usize = 32;

/// How a context ended.
#[derive(Clone)]
pub(super) struct End {
    pub(super) error: ContextError,
    /// `None`: the error itself.
    pub(super) cause: Option<Cause>,
}

/// A function to run when a context is done.
pub(super) struct Func {
    pub(super) run: Box<dyn FnOnce() + Send>,
    pub(super) site: &'static Site,
}

pub(super) enum Child {
    Node(Arc<Node>),
    Func(Func),
}

struct Entry {
    child: Child,
    /// Of the channel of the node that has this child (I3).
    _wanted: Receiver<()>,
}

struct State {
    cause: Option<Cause>,
    timer: Option<Timer>,
    /// By the number of their creation: they are cancelled in that order.
    children: BTreeMap<u64, Entry>,
    next_sweep: usize,
}

/// See the module's page.
pub(super) struct Node {
    sender: Sender<()>,
    ended: AtomicU8,
    state: Lock<State>,
}

impl Node {
    pub(super) fn error(&self) -> Option<ContextError> {
        // ORDERING: Acquire pairs with the Release of `end`.
        let ended = self.ended.load(Ordering::Acquire);
        if ended == OPEN {
            return None;
        }
        if !self.sender.is_closed() {
            // `end` is about to close it (I1): an error is never seen before the channel is closed.
            drop(self.state.lock());
        }
        Some(if ended == CANCELED { ContextError::Canceled } else { ContextError::DeadlineExceeded })
    }

    pub(super) fn how_it_ended(&self) -> Option<End> {
        let error = self.error()?;
        Some(End { error, cause: self.state.lock().cause.clone() })
    }

    /// Ends it, unless it has ended, and hands over its children.
    fn end(&self, how: &End) -> Option<BTreeMap<u64, Entry>> {
        let mut state = self.state.lock();
        // ORDERING: Relaxed; it changes under the lock only (I1).
        if self.ended.load(Ordering::Relaxed) != OPEN {
            return None;
        }
        state.cause.clone_from(&how.cause);
        let word = if how.error == ContextError::Canceled { CANCELED } else { DEADLINE_EXCEEDED };
        // ORDERING: Release pairs with the Acquire of `error`: whoever is woken by the close sees it, too.
        self.ended.store(word, Ordering::Release);
        self.sender.close();
        let (timer, children) = (state.timer.take(), std::mem::take(&mut state.children));
        drop(state);
        if let Some(timer) = timer {
            timer.stop();
        }
        Some(children)
    }

    /// Has it cancelled at `when`, unless it has ended.
    #[cfg(not(loom))]
    pub(super) fn arm(self: &Arc<Self>, when: Instant) {
        let mut state = self.state.lock();
        // ORDERING: Relaxed; it changes under the lock only (I1).
        if self.ended.load(Ordering::Relaxed) == OPEN {
            state.timer = Some(Timer::start(when, self.clone()));
        }
    }

    fn disarm(&self) {
        let timer = self.state.lock().timer.take();
        if let Some(timer) = timer {
            timer.stop();
        }
    }

    /// Removes a child: false if it was gone.
    pub(super) fn disown(&self, key: u64) -> bool {
        let entry = self.state.lock().children.remove(&key);
        entry.is_some()
    }

    /// Its children, which it has no longer.
    fn take_children(&self) -> impl Iterator<Item = Child> + use<> {
        let children = std::mem::take(&mut self.state.lock().children);
        children.into_values().map(|entry| entry.child)
    }

    /// Whether anybody could be told that it has ended, and has not been (I3).
    fn is_wanted(&self) -> bool {
        !self.sender.is_closed()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Nobody is left who could cancel it, and so none of its children. A long chain of them: one after the other, not
        // one inside the other.
        let mut orphans: Vec<Child> = self.take_children().collect();
        while let Some(child) = orphans.pop() {
            if let Child::Node(node) = child
                && let Ok(node) = Arc::try_unwrap(node)
            {
                orphans.extend(node.take_children());
            }
        }
        if self.is_wanted() {
            // Not done, and never will be: a closed channel would say that it is.
            outside::keep_open(self.sender.clone());
        }
    }
}

/// Cancels `root`, and everything below it. The functions start once all of that is done.
pub(super) fn cancel(root: Arc<Node>, how: &End) {
    let (mut nodes, mut funcs) = (vec![root], Vec::new());
    while let Some(node) = nodes.pop() {
        for entry in node.end(how).into_iter().flat_map(BTreeMap::into_values) {
            match entry.child {
                Child::Node(child) => nodes.push(child),
                Child::Func(func) => funcs.push(func),
            }
        }
    }
    funcs.into_iter().for_each(outside::start);
}

/// See the module's page.
pub(super) struct Scope {
    // Before `link`, whose drop looks whether this was the last receiver.
    done: Receiver<()>,
    link: Link,
    pub(super) deadline: Option<Instant>,
}

/// A scope's place in the tree.
struct Link {
    node: Arc<Node>,
    parent: Option<Arc<Scope>>,
    key: u64,
}

impl Scope {
    /// A scope under `parent`, that ends with it.
    pub(super) fn new(parent: Option<&Arc<Scope>>, deadline: Option<Instant>) -> Arc<Scope> {
        let (sender, done) = chan(0);
        let state = State { cause: None, timer: None, children: BTreeMap::new(), next_sweep: FIRST_SWEEP };
        let node = Arc::new(Node { sender, ended: AtomicU8::new(OPEN), state: Lock::new(LockRank::Time, state) });
        let link = Link { node: node.clone(), parent: parent.cloned(), key: sequence() };
        let key = link.key;
        let scope = Arc::new(Scope { done, link, deadline });
        if let Some((_, how)) = parent.and_then(|parent| parent.adopt(key, Child::Node(node.clone())).err()) {
            cancel(node, &how);
        }
        scope
    }

    pub(super) fn node(&self) -> &Arc<Node> {
        &self.link.node
    }

    pub(super) fn done(&self) -> &Receiver<()> {
        &self.done
    }

    /// Enters a child. If this has ended, the child comes back, with how.
    pub(super) fn adopt(&self, key: u64, child: Child) -> Result<(), (Child, End)> {
        let node = self.node();
        let entry = Entry { child, _wanted: self.done.clone() };
        let mut state = node.state.lock();
        // ORDERING: Relaxed; it changes under the lock only (I1).
        if node.ended.load(Ordering::Relaxed) != OPEN {
            drop(state);
            let how = node.how_it_ended().unwrap_or(End { error: ContextError::Canceled, cause: None });
            return Err((entry.child, how));
        }
        let unwanted = if state.children.len() >= state.next_sweep { sweep(&mut state) } else { BTreeMap::new() };
        state.children.insert(key, entry);
        drop(state);
        for Entry { child, .. } in unwanted.into_values() {
            if let Child::Node(child) = child {
                child.disarm();
            }
        }
        Ok(())
    }

    /// Cancels it and leaves the parent, which may live long.
    pub(super) fn cancel(&self, how: &End) {
        cancel(self.node().clone(), how);
        if let Some(parent) = &self.link.parent {
            parent.node().disown(self.link.key);
        }
    }

    #[cfg(all(test, not(loom)))]
    pub(super) fn children(&self) -> usize {
        self.node().state.lock().children.len()
    }
}

/// Takes the children out that are done, or that nobody waits for (I3).
fn sweep(state: &mut State) -> BTreeMap<u64, Entry> {
    let is_wanted = |entry: &Entry| match &entry.child {
        Child::Node(node) => node.is_wanted(),
        Child::Func(_) => true,
    };
    let all = std::mem::take(&mut state.children);
    let (wanted, unwanted): (BTreeMap<_, _>, _) = all.into_iter().partition(|(_, entry)| is_wanted(entry));
    state.next_sweep = (wanted.len() * 2).max(FIRST_SWEEP);
    state.children = wanted;
    unwanted
}

impl Link {
    /// The scope is gone: so is its node's place, unless somebody waits for its end.
    fn retire(&self, parent: Option<&Scope>) {
        if self.node.is_wanted() {
            return;
        }
        self.node.disarm();
        if let Some(parent) = parent {
            parent.node().disown(self.key);
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let mut parent = self.parent.take();
        self.retire(parent.as_deref());
        // A long chain of scopes that nobody else holds: one after the other, not one inside the other.
        while let Some(scope) = parent.and_then(|scope| Arc::try_unwrap(scope).ok()) {
            let Scope { done, mut link, .. } = scope;
            drop(done);
            parent = link.parent.take();
            link.retire(parent.as_deref());
        }
    }
}
