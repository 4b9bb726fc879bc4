//! What a person may ask for: everything that is held, and to be forgotten for good.

mod erase;
mod export;
mod filter;
mod hashes;
mod list;
mod purge;
mod retention;
mod world;
