//! Profiles: which value survives, where it came from, and whose every order is.

mod attribution;
mod customers;
mod fixture;
mod records;
