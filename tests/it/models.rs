//! Tests of models: what the shipped ones say, how projects' own are ordered, checked, built and audited.

mod build;
mod check;
mod order;
mod reference;
mod segments;
mod shipped;
mod support;
