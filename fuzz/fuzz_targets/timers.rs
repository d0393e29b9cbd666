#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gaggle_fuzz::timers::run(bytes));
