// A main may give an exit code itself; one in a module may be the program's by `use`.
#![deny(warnings)]
#![forbid(unsafe_code, dead_code, unused_mut, unused_variables, unused_imports)]

use program::main;

mod program {
    use std::process::ExitCode;

    #[gaggle::main]
    pub fn main() -> ExitCode {
        let text = String::from("x");
        let handle = gaggle::go!(clone text; text.len());
        if handle.join().unwrap() == text.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
