//! Fuzzes `stammkunde_fuzz::targets::dates`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stammkunde_fuzz::targets::dates(data));
