//! The one integration-test binary: it drives the library and the binary as a user would.

mod architecture;
mod audience;
mod cli;
mod config;
mod demo;
mod evaluate;
mod faults;
mod fuzz;
mod gates;
mod identity;
mod keys;
mod models;
mod privacy;
mod profile;
mod publish;
mod review;
mod source;
mod standardize;
