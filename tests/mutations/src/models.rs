//! What every model explores: a table of the models, the number of executions, and the time.

use crate::check::{Ended, Runner};
use crate::list::{Check, Kind};
use std::time::Duration;

/// A model that is not done by then is said to be unfinished.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs each model by itself and prints a row for it; false if one fails.
pub fn table(runner: &Runner, words: &[String]) -> Result<bool, String> {
    let mut all_pass = true;
    println!("| model | executions | time |\n| --- | ---: | ---: |");
    for kind in [Kind::LoomLib, Kind::LoomTests] {
        let filters = words.to_vec();
        for name in runner.names(&Check { kind: kind.clone(), filters })? {
            let check = Check { kind: kind.clone(), filters: vec![name.clone()] };
            let (ended, time, output) = runner.explore(&check, LIMIT);
            let executions: Vec<u64> = output.lines().filter_map(completed).collect();
            let executions = match (&ended, executions.iter().sum()) {
                // As it is told to by LOOM_MAX_DURATION.
                (Ended::Passed(1), 0) if last_seen(&output) > 0 => {
                    format!("unfinished after {}", grouped(last_seen(&output)))
                }
                (Ended::Passed(1), 0) => "not counted".into(),
                (Ended::Passed(1), sum) => grouped(sum),
                (Ended::Hung(_), _) => format!("unfinished after {}", grouped(last_seen(&output))),
                (other, _) => {
                    all_pass = false;
                    format!("{other:?}")
                }
            };
            println!("| {name} | {executions} | {:.1} s |", time.as_secs_f32());
        }
    }
    Ok(all_pass)
}

/// The number in loom's last words about a model.
fn completed(line: &str) -> Option<u64> {
    line.split_once("Completed in ")?.1.split(' ').next()?.parse().ok()
}

fn last_seen(output: &str) -> u64 {
    let seen = output.lines().rev().find_map(|line| line.split_once("= Iteration ")?.1.split(' ').next()?.parse().ok());
    seen.unwrap_or(0)
}

/// With a space between thousands.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
