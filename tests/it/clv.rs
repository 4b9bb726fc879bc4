//! Tests of the customer lifetime models: published numbers, reference data, simulated customers and extreme parameters.

mod donations;
mod identified;
mod laws;
mod published;
mod retail;
mod safety;
mod sample;
mod scored;
mod simulated;
mod spend;
mod subscriptions;
mod support;
