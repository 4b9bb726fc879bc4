//! Tests of models: what the shipped ones say, how projects' own are ordered, checked, built and audited.

mod build;
mod check;
mod extremes;
mod fits;
mod functions;
mod order;
mod reference;
mod shipped;
mod support;
