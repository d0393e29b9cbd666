#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gaggle_fuzz::select::run(bytes));
