//! Fuzzes `stammkunde_fuzz::targets::parquet`.
#![no_main]

// A panic of the Parquet reader is caught by the source stage: only what gets past it is a finding.
libfuzzer_sys::fuzz_target!(
    init: std::panic::set_hook(Box::new(|_| {})),
    |data: &[u8]| stammkunde_fuzz::targets::parquet(data)
);
