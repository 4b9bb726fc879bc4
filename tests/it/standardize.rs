//! Tests of standardize.
