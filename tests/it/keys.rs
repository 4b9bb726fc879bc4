//! Customer keys over time: what stays, what changes, and what an un-merge gives back.

mod history;
mod laws;
mod state;
mod world;
