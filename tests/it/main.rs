//! The one integration-test binary: it drives the library and the binary as a user would.

mod architecture;
mod cli;
mod config;
mod demo;
mod evaluate;
mod fuzz;
mod identity;
mod keys;
mod models;
mod profile;
mod publish;
mod source;
mod standardize;
