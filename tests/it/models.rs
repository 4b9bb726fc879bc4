//! Tests of models: what the shipped ones say, how projects' own are ordered, checked, built and audited.

mod base_tables;
mod build;
mod check;
mod dictionary;
mod fits;
mod functions;
mod literature;
mod order;
mod reference;
mod shipped;
mod subscriptions;
mod support;
