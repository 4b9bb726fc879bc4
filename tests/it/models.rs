//! Tests of models: what the shipped ones say, how projects' own are ordered, checked, built and audited.

mod build;
mod check;
mod dictionary;
mod order;
mod reference;
mod shipped;
mod support;
