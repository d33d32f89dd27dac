#![no_main]
gotrail_fuzz::target!(gotrail_checks::reading::streamed);
