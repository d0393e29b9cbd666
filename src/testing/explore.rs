//! The explorer: runs a model under loom, round by round, and tells what it found.

use super::{Explored, Failure, FailureKind, Model, report};
use crate::go::{Exited, site_here};
use crate::park::model::choices::{Choices, DEFAULT_LIMIT};
use crate::park::model::record::{self, Keeping, Panic, Record, State};
use crate::park::model::{self, STUCK};
use crate::primitives::unmodelled::thread_local;
use core::cell::Cell;
use core::panic::AssertUnwindSafe;
use std::backtrace::Backtrace;
use std::panic::{PanicHookInfo, catch_unwind, resume_unwind};
use std::sync::{Arc, Once};
use std::time::Instant;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// Room for main: loom's own thread has 32 KiB, on which no panic can be formatted.
const MAIN_STACK: usize = 8 << 20;

/// Branches of one execution beyond which it counts as endless; loom's own default of 1,000 is soon used up by
/// operations that take several steps each.
const BRANCHES: usize = 10_000;

pub(super) fn choose(ways: u32) -> u32 {
    crate::park::choose(ways)
}

#[track_caller]
pub(super) fn explore<F>(model: &Model, f: F) -> Result<Explored, Failure>
where
    F: Fn() + Send + Sync + 'static,
{
    install_hook();
    let _keeping = Keeping::start(site_here(), Choices::new(model.choices.unwrap_or(DEFAULT_LIMIT)));
    // As loom's own `model` has it; without the variable not even errors, which are in the report.
    let _log = std::env::var_os("LOOM_LOG").map(|_| {
        let format = tracing_subscriber::fmt().with_env_filter(EnvFilter::from_env("LOOM_LOG"));
        format.with_test_writer().without_time().finish().set_default()
    });
    let (f, begun) = (Arc::new(f), Instant::now());
    while let Some(builder) = builder(model, begun) {
        let f = f.clone();
        let round = catch_unwind(AssertUnwindSafe(|| builder.check(move || execution(&f))));
        if round.is_err() || record::with(|record| record.went_wrong()) == Some(true) {
            return Err(failed(round.err()));
        }
        if used_up(model, begun) || !record::with(|record| record.next_round()).unwrap_or(false) {
            break;
        }
    }
    Ok(explored(model, begun))
}

/// loom's builder for the next round; `None` if what the model may cost is used up.
fn builder(model: &Model, begun: Instant) -> Option<loom::model::Builder> {
    let mut builder = loom::model::Builder::new();
    if std::env::var_os("LOOM_MAX_BRANCHES").is_none() {
        builder.max_branches = BRANCHES;
    }
    builder.max_branches = model.branches.unwrap_or(builder.max_branches);
    builder.preemption_bound = model.preemptions.or(builder.preemption_bound);
    if let Some(most) = model.executions {
        let so_far = record::with(|record| record.executions).unwrap_or(0);
        let left = usize::try_from(most.saturating_sub(so_far)).unwrap_or(usize::MAX - 1);
        if left == 0 {
            return None;
        }
        // loom stops before the execution of this number.
        builder.max_permutations = Some(left + 1);
    }
    if let Some(most) = model.duration {
        builder.max_duration = Some(most.checked_sub(begun.elapsed())?);
    }
    if builder.checkpoint_file.is_none() && (builder.max_permutations.is_some() || builder.max_duration.is_some()) {
        // How often loom looks at the limits.
        builder.checkpoint_interval = 1;
    }
    Some(builder)
}

fn used_up(model: &Model, begun: Instant) -> bool {
    let executions = record::with(|record| record.executions).unwrap_or(0);
    model.executions.is_some_and(|most| executions >= most)
        || model.duration.is_some_and(|most| begun.elapsed() >= most)
}

fn explored(model: &Model, begun: Instant) -> Explored {
    let stopped = used_up(model, begun);
    record::with(|record| Explored {
        executions: record.executions,
        rounds: record.rounds,
        every_schedule: !stopped,
        every_choice: !record.choices_cut(),
    })
    .expect("runtime bug: a model without a record")
}

type Main = generator::Generator<'static, (), ()>;

thread_local! {
    /// Main's stack of the execution before, to be used again.
    static MAIN: Cell<Option<Main>> = const { Cell::new(None) };
}

/// One execution, on the stack of loom's first thread: main runs on a larger one, and parks through this.
fn execution<F: Fn() + Send + Sync + 'static>(f: &Arc<F>) {
    if record::with(|record| record.went_wrong()) == Some(true) {
        // The one before: nothing of it has unwound up to here.
        resume_unwind(Box::new("the execution before went wrong"));
    }
    record::with(|record| record.begin());
    let f = f.clone();
    let body = move || main_goroutine(&*f);
    let mut main = match MAIN.take() {
        Some(mut main) => {
            main.init_code(body);
            main
        }
        None => generator::Gn::new_opt(MAIN_STACK / size_of::<usize>(), body),
    };
    loop {
        main.resume();
        if main.is_done() {
            break;
        }
        model::leave();
    }
    MAIN.set(Some(main));
}

fn main_goroutine(f: &impl Fn()) {
    model::arrive(0, MAIN_STACK);
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f))
        && !payload.is::<Exited>()
    {
        model::end_by_panic(&*payload);
        resume_unwind(payload);
    }
    crate::park::end_goroutine();
}

/// Silences panics inside models: the report has them, of the one execution that failed. Others go to the hook that
/// was there before.
fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !note(info) {
                before(info);
            }
        }));
    });
}

/// Notes a panic in the record; false if this thread explores no model.
fn note(info: &PanicHookInfo<'_>) -> bool {
    let here = 0u8;
    let here = (&raw const here).addr();
    let text = model::text_of(info.payload());
    let last_words = text.contains("destructor during cleanup") || text.contains("cannot unwind");
    let place = info.location().map(|location| location.to_string());
    let by_loom = info.location().is_some_and(|location| is_loom(location.file()));
    let backtrace = Some(Backtrace::capture());
    let noted = record::with(|record| {
        let who = record.who_is_at(here);
        if by_loom && text.starts_with(STUCK) {
            record.stuck = true;
        }
        // What loom says after it has got stuck is about itself.
        if !record.stuck && !last_words {
            record.panics.push(Panic { who, text, place, by_loom, backtrace });
        }
        last_words.then(|| report::write(record, kind_of(record)))
    });
    match noted {
        Some(Some(report)) => {
            // The process aborts next: nobody will come to ask.
            eprintln!("{report}");
            false
        }
        Some(None) => true,
        None => false,
    }
}

/// Whether a source file is one of loom's: `…/loom-0.7.2/src/…`, or `…/loom/src/…` of a vendored copy.
fn is_loom(file: &str) -> bool {
    let mut parts = file.split(['/', '\\']).rev().skip_while(|part| *part != "src");
    parts.nth(1).is_some_and(|name| name == "loom" || name.starts_with("loom-0."))
}

/// What the execution that has just failed comes to.
fn failed(payload: Option<Box<dyn core::any::Any + Send>>) -> Failure {
    record::with(|record| {
        if record.panics.is_empty() && !record.stuck {
            let text = payload.map_or_else(String::new, |payload| model::text_of(&*payload));
            let who = (!record.goroutines.is_empty()).then_some(0);
            record.panics.push(Panic { who, text, place: None, by_loom: false, backtrace: None });
        }
        let kind = kind_of(record);
        Failure { kind, report: report::write(record, kind) }
    })
    .expect("runtime bug: a model without a record")
}

fn kind_of(record: &Record) -> FailureKind {
    match record.goroutines.first().map(|main| main.state) {
        _ if record.panics.iter().any(|panic| panic.by_loom) => FailureKind::Loom,
        _ if !record.stuck => FailureKind::Panic,
        Some(State::Ended) => FailureKind::Leak,
        _ => FailureKind::Deadlock,
    }
}
