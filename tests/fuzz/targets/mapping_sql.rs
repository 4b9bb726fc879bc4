//! Fuzzes `stammkunde_fuzz::targets::mapping_sql`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stammkunde_fuzz::targets::mapping_sql(data));
