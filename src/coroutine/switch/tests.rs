//! One test per behaviour of the switch; every back end runs them all.

use super::{Context, init, swap};
use crate::coroutine::stack::growth;
use crate::coroutine::stack::{DEFAULT_STACK, Stack, StackState, class_for};
use core::ptr;

/// A coroutine of the tests: a context with its stack, and what it shares with the test.
struct Routine {
    context: Context,
    state: StackState,
    root: *mut Context,
    log: Vec<u64>,
    body: fn(*mut Routine),
}

impl Routine {
    fn new(root: *mut Context, body: fn(*mut Routine)) -> Box<Self> {
        let mut state = StackState::new();
        state.bind(Stack::fresh(class_for(DEFAULT_STACK).unwrap()).unwrap());
        let mut routine = Box::new(Routine { context: Context::empty(), state, root, log: Vec::new(), body });
        routine.restart();
        routine
    }

    fn restart(&mut self) {
        let this: *mut Routine = self;
        // SAFETY: the stack is idle, the routine outlives its run, and `start` returns the root.
        unsafe { init(&raw mut (*this).context, &raw mut (*this).state, start, this.cast()) }
    }

    /// Runs the routine until it swaps to the root.
    fn resume(this: *mut Routine) {
        // SAFETY: the test alone uses these contexts, and resumes a routine only while it is suspended.
        unsafe { swap((*this).root, &raw const (*this).context) }
    }

    /// In the routine: back to the test.
    fn pause(this: *mut Routine) {
        // SAFETY: the root was saved by the swap that resumed us.
        unsafe { swap(&raw mut (*this).context, (*this).root) }
    }
}

unsafe extern "C" fn start(arg: *mut ()) -> *const Context {
    let this: *mut Routine = arg.cast();
    // SAFETY: `restart` passes the routine, which lives until its run is over.
    unsafe {
        ((*this).body)(this);
        (*this).root
    }
}

fn log(this: *mut Routine, value: u64) {
    // SAFETY: one routine or the test runs at a time, on one thread.
    unsafe { (*this).log.push(value) }
}

#[test]
fn values_survive_a_switch_in_registers_and_on_the_stack() {
    // A register that the switch forgets to save would corrupt the caller in release builds.
    let mut root = Context::empty();
    let mut routine = Routine::new(&mut root, |this| {
        let ints: [u64; 12] = core::array::from_fn(|i| std::hint::black_box(i as u64 + 100));
        let floats: [f64; 12] = core::array::from_fn(|i| std::hint::black_box(i as f64 + 0.5));
        Routine::pause(this);
        ints.iter().for_each(|value| log(this, *value));
        floats.iter().for_each(|value| log(this, value.to_bits()));
    });
    let this: *mut Routine = &mut *routine;
    let ints: [u64; 12] = core::array::from_fn(|i| std::hint::black_box(i as u64 + 7));
    Routine::resume(this);
    let floats: [f64; 12] = core::array::from_fn(|i| std::hint::black_box(i as f64 * 3.0));
    Routine::resume(this);
    assert_eq!(ints, core::array::from_fn(|i| i as u64 + 7));
    assert_eq!(floats, core::array::from_fn(|i| i as f64 * 3.0));
    let expected = (100..112).chain((0..12).map(|i| (i as f64 + 0.5).to_bits()));
    assert!(routine.log.iter().copied().eq(expected));
}

#[test]
fn a_stack_is_used_again_after_its_entry_returned() {
    // The scheduler runs one goroutine after the other on the same stack.
    let mut root = Context::empty();
    let mut routine = Routine::new(&mut root, |this| {
        log(this, 1);
        Routine::pause(this);
        log(this, 2);
    });
    for round in 0..100 {
        let this: *mut Routine = &mut *routine;
        Routine::resume(this);
        assert_eq!(routine.log.len(), 2 * round + 1);
        Routine::resume(&mut *routine);
        assert_eq!(routine.log.len(), 2 * round + 2);
        routine.restart();
    }
}

#[test]
fn routines_swap_to_each_other_without_the_root() {
    // A symmetric switch must not need a detour over the thread's own stack, nor confuse who is the root.
    const SEATS: usize = 10;
    const ROUNDS: usize = 100;
    struct Ring {
        contexts: [Context; SEATS],
        root: Context,
        visits: Vec<usize>,
    }
    struct Seat {
        ring: *mut Ring,
        index: usize,
    }
    unsafe extern "C" fn run(arg: *mut ()) -> *const Context {
        let seat: *mut Seat = arg.cast();
        // SAFETY: the ring and the seats outlive the test's loop; one context runs at a time.
        unsafe {
            let (ring, index) = ((*seat).ring, (*seat).index);
            let contexts = (&raw mut (*ring).contexts).cast::<Context>();
            for _ in 0..ROUNDS {
                (*ring).visits.push(index);
                swap(contexts.add(index), contexts.add((index + 1) % SEATS));
            }
            // Each leaves for its neighbour, which then finds its own rounds over; the last for the test.
            if index + 1 < SEATS { contexts.add(index + 1) } else { &raw const (*ring).root }
        }
    }
    let contexts = [const { Context::empty() }; SEATS];
    let mut ring = Ring { contexts, root: Context::empty(), visits: Vec::new() };
    let ring: *mut Ring = &mut ring;
    let mut states = [const { StackState::new() }; SEATS];
    let mut seats: Vec<Seat> = (0..SEATS).map(|index| Seat { ring, index }).collect();
    for (seat, state) in seats.iter_mut().zip(&mut states) {
        state.bind(Stack::fresh(class_for(1).unwrap()).unwrap());
        let index = seat.index;
        // SAFETY: a fresh stack; ring, seat and state outlive the run.
        unsafe { init(&raw mut (*ring).contexts[index], state, run, ptr::from_mut(seat).cast()) };
    }
    // SAFETY: all contexts were initialised above, and the last seat leaves for the root.
    let visits = unsafe {
        swap(&raw mut (*ring).root, &raw const (*ring).contexts[0]);
        core::mem::take(&mut (*ring).visits)
    };
    assert!(visits.into_iter().eq((0..SEATS).cycle().take(SEATS * ROUNDS)));
}

#[test]
fn a_backtrace_ends_at_the_foot_of_the_stack() {
    // Without an end mark the unwinder walks into garbage: a crash inside a panic message.
    #[inline(never)]
    fn traced_in_the_routine() -> String {
        std::hint::black_box(std::backtrace::Backtrace::force_capture().to_string())
    }
    let mut root = Context::empty();
    let mut routine = Routine::new(&mut root, |this| {
        let trace = traced_in_the_routine();
        log(this, u64::from(trace.contains("traced_in_the_routine")));
        log(this, u64::from(trace.contains("test_main") || trace.contains("lang_start")));
    });
    Routine::resume(&mut *routine);
    assert_eq!(routine.log, [1, 0], "the routine's own frame must be there, the test harness must not");
}

#[test]
fn a_panic_is_caught_on_the_stack_it_happened_on() {
    // Unwinding must work on our stacks as on any.
    let mut root = Context::empty();
    let mut routine = Routine::new(&mut root, |this| {
        let caught = std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(7_u64)));
        log(this, *caught.unwrap_err().downcast::<u64>().unwrap());
        Routine::pause(this);
        log(this, 8);
    });
    let this: *mut Routine = &mut *routine;
    Routine::resume(this);
    Routine::resume(this);
    assert_eq!(routine.log, [7, 8]);
}

#[test]
fn a_context_is_saved_and_resumed_in_its_twelfth_segment() {
    // The chain must be intact after a switch, however long it is: each return needs the segment it came from.
    fn nest(this: *mut Routine, links: u64) {
        if links == 0 {
            return Routine::pause(this);
        }
        let held = std::hint::black_box([links; 4]);
        // SAFETY: the routine's own state, which stays in place; no reference to it is held.
        unsafe { growth::run_on_segment(&|| &raw mut (*this).state, &mut || nest(this, links - 1)) };
        log(this, held[3]);
    }
    let mut root = Context::empty();
    let mut routines: Vec<_> = (0..4).map(|_| Routine::new(&mut root, |this| nest(this, 12))).collect();
    for routine in &mut routines {
        Routine::resume(&mut **routine);
        assert_eq!(routine.state.segments(), 12);
    }
    for routine in &mut routines {
        Routine::resume(&mut **routine);
        assert_eq!(routine.state.segments(), 0);
        assert!(routine.log.iter().copied().eq(1..=12));
    }
}

#[test]
fn a_context_resumes_on_another_thread() {
    // Migrating mode: nothing in the switch may remember the thread that saved.
    struct Sendable(*mut Routine);
    // SAFETY: the routine is used by one thread at a time: each spawn is joined before the next.
    unsafe impl Send for Sendable {}
    let mut root = Context::empty();
    let mut routine = Routine::new(&mut root, |this| {
        for step in 0..8 {
            log(this, step);
            Routine::pause(this);
        }
    });
    for _ in 0..9 {
        let this = Sendable(&mut *routine);
        std::thread::spawn(move || {
            let this = this;
            let mut root = Context::empty();
            // SAFETY: see `Sendable`; the root belongs to this thread, and is left before the thread ends.
            unsafe { (*this.0).root = &mut root };
            Routine::resume(this.0);
        })
        .join()
        .unwrap();
    }
    assert!(routine.log.iter().copied().eq(0..8));
}
