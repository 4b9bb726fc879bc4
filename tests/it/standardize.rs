//! Tests of standardize: the normalizers one by one, then whole batches.

mod address;
mod batch;
mod contact_points;
mod laws;
mod names;
mod nicknames;
