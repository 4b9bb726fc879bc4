//! Fuzzes `stammkunde_fuzz::targets::state`.
#![no_main]

// A panic of the Arrow reader is caught where state is read: only what gets past it is a finding.
libfuzzer_sys::fuzz_target!(
    init: std::panic::set_hook(Box::new(|_| {})),
    |data: &[u8]| stammkunde_fuzz::targets::state(data)
);
