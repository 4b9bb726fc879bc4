//! SQL functions for mappings and models, one a file.
