//! Fuzzes `stammkunde_fuzz::targets::jsonl`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stammkunde_fuzz::targets::jsonl(data));
