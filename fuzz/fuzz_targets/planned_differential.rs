#![no_main]
libfuzzer_sys::fuzz_target!(|choices: &[u8]| {
    gotrail_checks::reference::differential(&gotrail_checks::plan::trace(choices));
});
