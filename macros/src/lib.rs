//! The macros of gaggle. Use them as `gaggle::go!`, `gaggle::select!`, `#[gaggle::main]` and so on.
//!
//! Tokens in, tokens out: an expansion is a call of a hidden function of the `gaggle` crate around the
//! user's own tokens, which keep their spans. What Go fixes about evaluation is done here with `let`s;
//! everything else is the runtime's.

mod body_attr;
mod errors;
mod function;
mod go_expand;
mod go_parse;
mod main_attr;
mod select_expand;
mod select_head;
mod select_parse;
#[cfg(test)]
mod tests;
mod tokens;

use proc_macro::TokenStream;

/// Starts a goroutine.
///
/// ```
/// use gaggle::{chan, go};
///
/// # gaggle::run(|| {
/// let (tx, rx) = chan(0);
/// go!(clone tx; {
///     tx.send("from a goroutine").unwrap();
/// });
/// assert_eq!(rx.recv(), Some("from a goroutine"));
/// # });
/// ```
///
/// # What to run
///
/// | form | meaning |
/// | --- | --- |
/// | `go!({ .. })`, `go!(statement; ..)` | runs the body in the goroutine, which captures by move |
/// | `go!(f(a, b))`, `go!(x.method(a))` | evaluates callee, receiver and arguments **now**, makes the call in the goroutine |
/// | `go!(\|\| ..)`, `go!(path)` | calls the closure or the function in the goroutine |
/// | `go!(mac!(..))`, `go!(for ..)`, `go!(match ..)` | runs the expression in the goroutine |
///
/// Of a chain of calls the last one is deferred: `go!(pool.worker(3).run(job))` picks the worker now.
/// Parentheses and braces of the macro itself make no difference, so `go! { f(a) }` is the call form, and
/// `go!({ f(a) })` or `go! { f(a); }` is a body. As a statement, every form ends with `;`.
///
/// ```
/// use gaggle::go;
///
/// fn add(a: i32, b: i32) -> i32 {
///     a + b
/// }
///
/// # gaggle::run(|| {
/// let mut count = 1;
/// let sum = go!(add(count, 1)); // the arguments are evaluated here
/// count += 10;
/// assert_eq!(sum.join().unwrap(), 2);
/// assert_eq!(go!(|| count * 2).join().unwrap(), 22);
/// # });
/// ```
///
/// # Clones and options
///
/// Before a `;` stand, in any order and separated by commas: `clone a, b`, which clones these locals and
/// moves the clones in; `name = ..` (anything that is `Into<String>`); `stack = ..` in bytes; and
/// `pinned`, which keeps the goroutine on the thread that first runs it.
///
/// ```
/// use gaggle::{chan, go};
///
/// # gaggle::run(|| {
/// let (tx, rx) = chan(0);
/// for id in 0..3 {
///     go!(name = format!("worker {id}"), stack = 1 << 20, clone tx; tx.send(id));
/// }
/// let mut seen = [rx.recv(), rx.recv(), rx.recv()];
/// seen.sort();
/// assert_eq!(seen, [Some(0), Some(1), Some(2)]);
/// # });
/// ```
///
/// # Value
///
/// A `JoinHandle`: `join()` waits and gives
/// the goroutine's value or its panic, dropping it detaches.
///
/// # Panics
///
/// When there is no memory for a goroutine; `task::Builder::spawn` gives an error instead.
///
/// # Compared with Go
///
/// `go f(a, b)` is `go!(f(a, b))`, with Go's order of evaluation, and `go func() { .. }()` is
/// `go!({ .. })`. Rust's ownership adds `clone`: what a goroutine uses, it owns.
#[proc_macro]
pub fn go(input: TokenStream) -> TokenStream {
    go_expand::expand(input.into()).into()
}

/// Waits until one of several channel operations can go on, does it, and runs its arm.
///
/// ```
/// use gaggle::{chan, go, select};
/// use std::time::Duration;
///
/// # gaggle::run(|| {
/// let (numbers, n) = chan(0);
/// let (_quit, q) = chan::<()>(0);
/// go!(numbers.send(42));
/// let text = select! {
///     v = <-n => format!("{}", v.unwrap()),
///     <-q => "quit".to_string(),
///     after(Duration::from_secs(5)) => "timed out".to_string(),
/// };
/// assert_eq!(text, "42");
/// # });
/// ```
///
/// # Arms
///
/// | arm | meaning |
/// | --- | --- |
/// | `v = <-rx => ..` | receives; `v` is an `Option`, `None` once the channel is closed and drained |
/// | `<-rx => ..` | receives and drops the value before the arm's body runs |
/// | `tx <- value => ..` | sends; panics if the channel is closed |
/// | `r = tx <- value => ..` | sends; `r` is the `Result` of `Sender::send` |
/// | `after(duration) => ..` | when nothing else was ready for so long; one at most |
/// | `default => ..` | at once when nothing else is ready; one at most |
///
/// A channel may be given by value, by reference, or as an `Option`: a `None` is Go's nil channel and
/// never ready. `v` and `r` may be any pattern that always matches. An `if condition` before the `=>`
/// makes a guard: the arm takes part only if it holds. Commas separate arms, and may be left out after a
/// body in braces.
///
/// Channels and values to send are evaluated once, arm by arm in source order, whichever arm is chosen
/// (an arm's guard just before them). Among the arms that are ready the choice is uniformly random;
/// `biased;` before the first arm makes it the first one in order. Without arms, or when every guard is
/// false, it waits for ever. Beside `default`, an `after` never fires.
///
/// The bodies are code of the enclosing function (`break`, `continue`, `return` and `?` work), and the
/// whole is an expression.
///
/// ```
/// use gaggle::{Receiver, Sender, chan, select};
///
/// /// Moves values along, and buffers without limit.
/// fn forward(rx: &Receiver<u32>, tx: &Sender<u32>) -> Option<usize> {
///     let mut queue = std::collections::VecDeque::new();
///     let mut most = 0;
///     loop {
///         let next = queue.front().copied().unwrap_or(0);
///         select! {
///             v = <-rx => match v {
///                 Some(v) => queue.push_back(v),
///                 None if queue.is_empty() => break Some(most),
///                 None => tx.send(queue.pop_front()?).ok()?,
///             },
///             r = tx <- next if !queue.is_empty() => {
///                 r.ok()?;
///                 queue.pop_front();
///             }
///         }
///         most = most.max(queue.len());
///     }
/// }
///
/// # gaggle::run(|| {
/// let (input, rx) = chan(3);
/// let (tx, output) = chan(3);
/// (1..=3).for_each(|n| input.send(n).unwrap());
/// input.close();
/// assert!(forward(&rx, &tx).is_some());
/// assert_eq!(output.try_iter().collect::<Vec<_>>(), [1, 2, 3]);
/// # });
/// ```
///
/// # Blocking
///
/// Parks the goroutine (or the thread, outside of one) until an arm can go on. With `default` it never
/// blocks.
///
/// # Panics
///
/// `send on closed channel`, when an arm `tx <- value` without a pattern is chosen on a closed channel.
///
/// # Compared with Go
///
/// `case v, ok := <-c:` is `v = <-c =>`, with `ok` in the `Option`; `case c <- v:` is `c <- v =>`;
/// `case <-time.After(d):` is `after(d) =>`; `default:` is `default =>`. Guards, `biased` and the form
/// with a `Result` are additions.
#[proc_macro]
pub fn select(input: TokenStream) -> TokenStream {
    select_expand::expand(input.into()).into()
}

/// Makes `main` the first goroutine.
///
/// ```
/// use gaggle::{chan, go};
///
/// #[gaggle::main]
/// fn main() -> Result<(), gaggle::SendError<i32>> {
///     let (tx, rx) = chan(1);
///     go!(println!("received {:?}", rx.recv()));
///     tx.send(1)
/// }
/// ```
///
/// When it returns the process ends, and other goroutines are not waited for. It may return whatever a
/// Rust `main` may.
///
/// # Arguments
///
/// In any order: `procs = N`, how many goroutines run at the same time (Go's `GOMAXPROCS`);
/// `stack = BYTES`, the size of a goroutine's first stack; and `unsafe(migrate)`.
///
/// ```
/// #[gaggle::main(procs = 2, stack = 1 << 20)]
/// fn main() {
///     assert_eq!(gaggle::runtime::max_procs(), 2);
/// }
/// ```
///
/// # Safety of `unsafe(migrate)`
///
/// Goroutines then move between threads, as Go's do. `main` and what it starts, directly or not, must
/// hold no borrow of a thread-local and no value tied to its thread across an operation that blocks. By
/// default a goroutine stays on the thread that first ran it, and there is nothing to promise.
///
/// ```
/// // Nothing here uses thread-locals across a blocking operation.
/// #[gaggle::main(unsafe(migrate))]
/// fn main() {
///     gaggle::go!(println!("on some thread or other")).join().unwrap();
/// }
/// ```
///
/// # Compared with Go
///
/// Go's `main`. To run goroutines from inside an ordinary `main` without ending the process, call
/// `gaggle::run`.
#[proc_macro_attribute]
pub fn main(args: TokenStream, item: TokenStream) -> TokenStream {
    main_attr::expand(main_attr::Kind::Main, args.into(), item.into()).into()
}

/// Makes a test a goroutine.
///
/// ```
/// use gaggle::{chan, go};
///
/// #[gaggle::test]
/// fn a_value_arrives() {
///     let (tx, rx) = chan(0);
///     go!(tx.send(1));
///     assert_eq!(rx.recv(), Some(1));
/// }
/// # fn main() {}
/// ```
///
/// It stands in place of `#[test]`, and goes together with `#[ignore]` and `#[should_panic]`. The test may
/// return a `Result`. All tests of a binary share one runtime.
///
/// # Arguments
///
/// `stack = BYTES` and `unsafe(migrate)`, as for `#[gaggle::main]`, for this test and what it starts.
///
/// ```
/// #[gaggle::test(stack = 4 << 20)]
/// fn a_big_frame_fits() -> Result<(), std::num::ParseIntError> {
///     let frame = std::hint::black_box([1_u8; 1 << 20]);
///     assert_eq!(frame.len(), "1048576".parse()?);
///     Ok(())
/// }
/// # fn main() {}
/// ```
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    main_attr::expand(main_attr::Kind::Test, args.into(), item.into()).into()
}

/// Lets a function recurse as deep as memory allows.
///
/// On each call the room left on the stack is compared with a limit (about a nanosecond); when it is
/// short, the body runs on a freshly linked segment, which is given back when the function returns.
///
/// ```
/// #[gaggle::growable]
/// fn depth(n: u64) -> u64 {
///     if n == 0 { 0 } else { 1 + depth(n - 1) }
/// }
///
/// # gaggle::run(|| {
/// assert_eq!(depth(200_000), 200_000);
/// # });
/// ```
///
/// It goes on functions and methods of any signature but `async fn` and `const fn`; of functions that call
/// each other, one in each cycle is enough. The body becomes a closure: where the return type says
/// `impl Trait`, a `?` in it may ask for a type. `gaggle::stack::grow` does the same for an expression.
///
/// # Compared with Go
///
/// Go copies a stack that is too small to a bigger one, which Rust's references forbid; here segments are
/// linked, and only where asked.
#[proc_macro_attribute]
pub fn growable(args: TokenStream, item: TokenStream) -> TokenStream {
    body_attr::growable(args.into(), item.into()).into()
}

/// Lets other goroutines run while a function loops.
///
/// Every loop in the body begins with `gaggle::checkpoint()`: one relaxed load, and a yield when the time
/// slice is over. Loops in closures of the body are included; functions inside it, constants and what
/// macros expand to are not.
///
/// ```
/// #[gaggle::preemptible]
/// fn collatz(mut n: u64) -> u64 {
///     let mut steps = 0;
///     while n != 1 {
///         n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 };
///         steps += 1;
///     }
///     steps
/// }
///
/// # gaggle::run(|| {
/// assert_eq!(gaggle::go!(collatz(27)).join().unwrap(), 111);
/// # });
/// ```
///
/// # Compared with Go
///
/// Go interrupts a running goroutine by a signal; no stack is ever switched inside a signal handler here,
/// so a loop that never blocks shares its thread only if it asks.
#[proc_macro_attribute]
pub fn preemptible(args: TokenStream, item: TokenStream) -> TokenStream {
    body_attr::preemptible(args.into(), item.into()).into()
}
