#![no_main]
libfuzzer_sys::fuzz_target!(|choices: &[u8]| gotrail_checks::all(&gotrail_checks::plan::trace(
    choices
)));
