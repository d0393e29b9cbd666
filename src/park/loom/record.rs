//! What is known of the goroutines of the execution under way: written by the hatch, read by reports.
//!
//! Plain data, one record per OS thread that explores a model. The goroutines of a model take turns on that thread, so
//! nothing here is shared, and loom sees none of it: keeping the record costs a model no branch.
//!
//! # Invariants
//! 1. No code of a program, and none of loom, runs while the record is borrowed.
//! 2. Goroutine `i` of every execution uses `memory[i]`. An execution begins when the threads of the one before have
//!    ended, so what is left there from before is used by nobody.

use super::choices::Choices;
use super::{Memory, WaitReason};
use crate::primitives::unmodelled::thread_local;
use crate::sched::site::Site;
use core::cell::RefCell;
use core::panic::Location;
use std::backtrace::Backtrace;

/// How many threads loom has room for in one execution: those that have ended count too.
pub(crate) const MAX_GOROUTINES: usize = loom::MAX_THREADS;

/// What a goroutine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Runnable,
    Waits(WaitReason),
    Ended,
    Panicked,
}

/// A goroutine of the execution under way; its number is its place in the record plus one.
#[derive(Debug)]
pub(crate) struct Goroutine {
    /// `None`: a thread of loom's that the program has started by itself.
    pub(crate) site: Option<&'static Site>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) state: State,
    /// Where the objects that it waits for were made.
    pub(crate) places: Vec<&'static Location<'static>>,
    /// The number of the goroutine that it joins.
    pub(crate) joins: Option<u64>,
    /// Its panic has reached somebody: `join`, or the owner of its scope.
    heard: bool,
    /// The same for the same goroutine in every execution, whatever else runs.
    key: u32,
    children: u32,
    choices: u32,
    stack_top: usize,
    stack_size: usize,
}

/// What happened, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Starts { who: usize, child: usize },
    Waits { who: usize, reason: WaitReason },
    Wakes { who: Option<usize>, sleeper: usize },
    Chooses { who: usize, way: u32, ways: u32 },
    Ends { who: usize },
    Panics { who: usize },
}

/// A panic of the execution under way.
#[derive(Debug)]
pub(crate) struct Panic {
    /// `None`: on no goroutine's stack.
    pub(crate) who: Option<usize>,
    pub(crate) text: String,
    pub(crate) place: Option<String>,
    /// It is loom that found something, not an assertion of the program.
    pub(crate) by_loom: bool,
    pub(crate) backtrace: Option<Backtrace>,
}

/// See the module's page.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) goroutines: Vec<Goroutine>,
    pub(crate) events: Vec<Event>,
    pub(crate) panics: Vec<Panic>,
    /// loom has found that nobody can run.
    pub(crate) stuck: bool,
    pub(crate) executions: u64,
    pub(crate) rounds: u64,
    choices: Choices,
    main: &'static Site,
    /// Who a goroutine is, by its parent and which of the parent's children it is.
    keys: Vec<(u32, u32)>,
    memory: Vec<Memory>,
    arriving: Option<usize>,
}

thread_local! {
    static RECORD: RefCell<Option<Record>> = const { RefCell::new(None) };
}

/// Calls `f` with the record of the model that this thread explores; `None` if it explores none.
pub(crate) fn with<R>(f: impl FnOnce(&mut Record) -> R) -> Option<R> {
    RECORD.with(|record| record.try_borrow_mut().ok()?.as_mut().map(f))
}

/// Keeps a record on this thread until it is dropped.
#[derive(Debug)]
pub(crate) struct Keeping(());

impl Keeping {
    /// # Panics
    /// If this thread explores a model already.
    #[track_caller]
    pub(crate) fn start(main: &'static Site, choices: Choices) -> Self {
        let before = RECORD.with(|record| record.replace(Some(Record::new(main, choices))));
        if let Some(before) = before {
            RECORD.set(Some(before));
            panic!("a model inside another model");
        }
        Self(())
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        RECORD.set(None);
    }
}

impl Record {
    fn new(main: &'static Site, choices: Choices) -> Self {
        Self {
            goroutines: Vec::new(),
            events: Vec::new(),
            panics: Vec::new(),
            stuck: false,
            executions: 0,
            rounds: 1,
            choices,
            main,
            keys: Vec::new(),
            memory: Vec::new(),
            arriving: None,
        }
    }

    /// An execution begins: main is there, and nobody else.
    pub(crate) fn begin(&mut self) {
        self.goroutines.clear();
        self.events.clear();
        self.panics.clear();
        self.stuck = false;
        self.executions += 1;
        let main = self.main;
        self.add(Some(main), None, None);
    }

    /// The next way in which selects can choose; false if there is none.
    pub(crate) fn next_round(&mut self) -> bool {
        let more = self.choices.advance();
        self.rounds += u64::from(more);
        more
    }

    pub(crate) fn choices_cut(&self) -> bool {
        self.choices.is_cut()
    }

    /// Whether something went wrong that the program has not shown itself: a panic that nobody heard of, or one of
    /// loom's that somebody caught.
    pub(crate) fn went_wrong(&self) -> bool {
        self.panics.iter().any(|panic| panic.by_loom)
            || self.goroutines.iter().any(|g| g.state == State::Panicked && !g.heard)
    }

    fn add(&mut self, site: Option<&'static Site>, name: Option<Box<str>>, parent: Option<usize>) -> usize {
        let (parent_key, nth) = match parent.map(|parent| &mut self.goroutines[parent]) {
            Some(parent) => {
                parent.children += 1;
                (parent.key, parent.children)
            }
            None => (u32::MAX, self.goroutines.len() as u32),
        };
        let who = self.goroutines.len();
        self.goroutines.push(Goroutine {
            site,
            name,
            state: State::Runnable,
            places: Vec::new(),
            joins: None,
            heard: false,
            key: key(&mut self.keys, (parent_key, nth)),
            children: 0,
            choices: 0,
            stack_top: 0,
            stack_size: 0,
        });
        if who == self.memory.len() {
            self.memory.push(Memory::leaked());
        }
        who
    }

    /// A goroutine is to be started by `parent`; `None` if there is no room for it.
    pub(super) fn spawn(&mut self, site: &'static Site, name: Option<Box<str>>, parent: usize) -> Option<usize> {
        if self.goroutines.len() >= MAX_GOROUTINES {
            return None;
        }
        let child = self.add(Some(site), name, Some(parent));
        self.events.push(Event::Starts { who: parent, child });
        Some(child)
    }

    pub(super) fn memory(&self, who: usize) -> Memory {
        self.memory[who]
    }

    /// The next thread to ask who it is will be `who`.
    pub(super) fn arrive(&mut self, who: usize, stack_top: usize, stack_size: usize) {
        let goroutine = &mut self.goroutines[who];
        (goroutine.stack_top, goroutine.stack_size) = (stack_top, stack_size);
        self.arriving = Some(who);
    }

    /// Who the calling thread is, which has not been asked before.
    pub(super) fn arrived(&mut self) -> usize {
        match self.arriving.take() {
            Some(who) => who,
            None => self.add(None, None, None),
        }
    }

    pub(super) fn begins_wait(&mut self, who: usize) {
        self.goroutines[who].places.clear();
    }

    pub(super) fn stands_in_queue(&mut self, who: usize, made: &'static Location<'static>) {
        let places = &mut self.goroutines[who].places;
        if !places.contains(&made) {
            places.push(made);
        }
    }

    pub(super) fn falls_asleep(&mut self, who: usize, reason: WaitReason) {
        self.goroutines[who].state = State::Waits(reason);
        self.events.push(Event::Waits { who, reason });
    }

    pub(super) fn is_woken(&mut self, sleeper: usize, who: Option<usize>) {
        let state = &mut self.goroutines[sleeper].state;
        if matches!(state, State::Waits(_)) {
            *state = State::Runnable;
            self.events.push(Event::Wakes { who, sleeper });
        }
    }

    pub(super) fn joins(&mut self, who: usize, other: Option<u64>) {
        self.goroutines[who].joins = other;
    }

    pub(super) fn ends(&mut self, who: usize) {
        let state = &mut self.goroutines[who].state;
        if *state != State::Panicked {
            *state = State::Ended;
            self.events.push(Event::Ends { who });
        }
    }

    pub(super) fn choose(&mut self, who: usize, ways: u32) -> u32 {
        let goroutine = &mut self.goroutines[who];
        let nth = goroutine.choices;
        goroutine.choices += 1;
        let answer = self.choices.answer(goroutine.key, nth, ways);
        self.events.push(Event::Chooses { who, way: answer, ways });
        answer
    }

    pub(super) fn alive(&self) -> usize {
        self.goroutines.iter().filter(|g| !matches!(g.state, State::Ended | State::Panicked)).count()
    }

    /// The goroutine `who` has ended with a panic; true if it is loom's, and so the model's end.
    pub(super) fn ends_with_panic(&mut self, who: usize, text: impl FnOnce() -> String) -> bool {
        self.goroutines[who].state = State::Panicked;
        self.events.push(Event::Panics { who });
        if let Some(panic) = self.panics.iter().rev().find(|panic| panic.who == Some(who)) {
            return panic.by_loom;
        }
        // Resumed, so that no hook has seen it.
        self.panics.push(Panic { who: Some(who), text: text(), place: None, by_loom: false, backtrace: None });
        false
    }

    /// The panic of goroutine number `id` has reached somebody.
    pub(super) fn is_heard(&mut self, id: u64) {
        if let Some(goroutine) = usize::try_from(id).ok().and_then(|id| self.goroutines.get_mut(id.wrapping_sub(1))) {
            goroutine.heard = true;
        }
    }

    /// On whose stack `address` is.
    pub(crate) fn who_is_at(&self, address: usize) -> Option<usize> {
        // loom's word for a stack's size is bytes and its measure words: hence the factor.
        let here = |g: &Goroutine| address <= g.stack_top && g.stack_top - address <= 8 * g.stack_size;
        let (who, _) = self.goroutines.iter().enumerate().filter(|(_, g)| here(g)).min_by_key(|(_, g)| g.stack_top)?;
        Some(who)
    }
}

fn key(keys: &mut Vec<(u32, u32)>, name: (u32, u32)) -> u32 {
    let known = keys.iter().position(|known| *known == name);
    known.unwrap_or_else(|| {
        keys.push(name);
        keys.len() - 1
    }) as u32
}
