//! Puts each fault of `list.txt` into a copy of the project and shows which model or test finds it.
//!
//! ```text
//! cargo run --manifest-path tests/mutations/Cargo.toml              all of them
//! cargo run --manifest-path tests/mutations/Cargo.toml -- chan-     those whose name contains one of the words
//! cargo run --manifest-path tests/mutations/Cargo.toml -- --list    what there is
//! cargo run --manifest-path tests/mutations/Cargo.toml -- --check   whether every place is still to be found
//! cargo run --manifest-path tests/mutations/Cargo.toml -- --models  how many executions each model explores
//! ```
//!
//! The copy, and what cargo builds of it, stay in `target/mutations`, so that the next run need not begin anew.
//! Before the first fault each check runs on the unchanged copy: it must pass there, and its time sets the limit
//! beyond which a check of a fault counts as hanging. The exit code is not zero if a fault is not found although it
//! should be, or is found although the list says otherwise.

mod check;
mod list;
mod models;
mod project;

use check::{Ended, Runner};
use list::{Check, Mutation};
use project::Project;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// A check that takes longer than this, and than ten times as long as on the unchanged copy, hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, String> {
    let root = root();
    let path = root.join("tests/mutations/list.txt");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut mutations = list::parse(&text).map_err(|why| format!("list.txt: {why}"))?;
    let (options, words): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    if options.first().is_some_and(|option| option == "--models") {
        let (_project, runner) = copy(&root)?;
        return models::table(&runner, &words);
    }
    mutations.retain(|m| words.is_empty() || words.iter().any(|word| m.name.contains(word.as_str())));
    if mutations.is_empty() {
        return Err("no fault of such a name".into());
    }
    match options.first().map(String::as_str) {
        None => all(&root, &mutations),
        Some("--list") => {
            mutations.iter().for_each(|m| println!("{:44} {}", m.name, m.fault));
            Ok(true)
        }
        Some("--check") => places(&root, &mutations),
        Some(other) => Err(format!("no such option: {other}; see the head of src/main.rs")),
    }
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

fn copy(root: &Path) -> Result<(Project, Runner), String> {
    let work = std::env::var_os("GAGGLE_MUTATIONS_DIR").map_or_else(|| root.join("target/mutations"), PathBuf::from);
    let project = Project::copy(root, &work).map_err(|error| error.to_string())?;
    let runner = Runner::new(project.path(), &work);
    Ok((project, runner))
}

/// Whether every place of the list is there, once.
fn places(root: &Path, mutations: &[Mutation]) -> Result<bool, String> {
    let mut stale = 0;
    for m in mutations {
        let source = std::fs::read_to_string(root.join(&m.file)).map_err(|error| format!("{}: {error}", m.file))?;
        if let Err(why) = m.apply(&source) {
            eprintln!("stale: {why}");
            stale += 1;
        }
    }
    println!("{} faults, {stale} of them stale", mutations.len());
    Ok(stale == 0)
}

fn all(root: &Path, mutations: &[Mutation]) -> Result<bool, String> {
    if !places(root, mutations)? {
        return Ok(false);
    }
    let start = Instant::now();
    let (project, runner) = copy(root)?;
    let limits = unchanged(&runner, mutations)?;
    println!("\n{:44} {:9} {:>6}  by what", "fault", "", "time");
    let mut verdicts = Vec::new();
    for m in mutations {
        verdicts.push(try_one(&project, &runner, m, &limits)?);
    }
    let wrong = verdicts.iter().filter(|as_expected| !**as_expected).count();
    let survivors = mutations.iter().filter(|m| m.survives.is_some()).count();
    println!(
        "\n{} faults: {} not as the list says, {survivors} known survivors; {} s",
        mutations.len(),
        wrong,
        start.elapsed().as_secs()
    );
    Ok(wrong == 0)
}

/// How long each check may take with a fault in the copy.
type Limits = Vec<(Check, Duration)>;

/// Runs every check on the unchanged copy.
fn unchanged(runner: &Runner, mutations: &[Mutation]) -> Result<Limits, String> {
    let mut limits = Limits::new();
    for check in mutations.iter().flat_map(|m| &m.by) {
        if limits.iter().any(|(known, _)| known == check) {
            continue;
        }
        let (ended, time) = runner.run(check, Duration::from_secs(600));
        match ended {
            Ended::Passed(0) => return Err(format!("unchanged: {check}: there is no such test")),
            Ended::Passed(n) => println!("unchanged: {check}: {n} passed, {:.1} s", time.as_secs_f32()),
            other => return Err(format!("unchanged: {check}: {other:?}")),
        }
        limits.push((check.clone(), PATIENCE.max(10 * time)));
    }
    Ok(limits)
}

/// Puts the fault in, runs its checks until one finds it, and takes it out; true if it went as the list says.
fn try_one(project: &Project, runner: &Runner, m: &Mutation, limits: &Limits) -> Result<bool, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", m.file);
    let start = Instant::now();
    let source = project.read(&m.file).map_err(failed)?;
    project.write(&m.file, &m.apply(&source)?).map_err(failed)?;
    let mut found = None;
    for check in &m.by {
        let limit = limits.iter().find(|(known, _)| known == check).map_or(PATIENCE, |(_, limit)| *limit);
        found = match runner.run(check, limit).0 {
            Ended::Passed(_) => None,
            Ended::Failed(test, why) => Some(Ok(format!("{test}: {why}"))),
            Ended::Hung(test) => Some(Ok(format!("{test}: hangs"))),
            Ended::NotBuilt(why) => Some(Err(why)),
        };
        if found.is_some() {
            break;
        }
    }
    project.write(&m.file, &source).map_err(failed)?;
    let time = start.elapsed().as_secs();
    let (word, what, as_expected) = match (found, &m.survives) {
        (Some(Err(why)), _) => ("NOT BUILT", why, false),
        (Some(Ok(by)), None) => ("caught", by, true),
        (Some(Ok(by)), Some(_)) => ("CAUGHT", format!("{by} (the list says that it survives)"), false),
        (None, Some(why)) => ("survives", why.clone(), true),
        (None, None) => ("SURVIVED", m.fault.clone(), false),
    };
    println!("{:44} {word:9} {time:4} s  {what}", m.name);
    Ok(as_expected)
}
