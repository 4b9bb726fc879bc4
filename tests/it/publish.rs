//! Tests of publish.
