//! Fuzzes `stammkunde_fuzz::targets::phones`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stammkunde_fuzz::targets::phones(data));
