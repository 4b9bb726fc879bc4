//! Customer keys over time: what stays, what changes, and what an un-merge gives back.

mod causes;
mod gate;
mod histories;
mod history;
mod laws;
mod pins;
mod state;
mod world;
