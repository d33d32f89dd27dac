#![no_main]
libfuzzer_sys::fuzz_target!(|text: &[u8]| gotrail_checks::wire::text(text));
