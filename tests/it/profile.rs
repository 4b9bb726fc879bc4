//! Tests of profile.
