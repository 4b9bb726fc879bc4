//! Drives the binary as users and schedulers do: arguments, environment, exit codes, stdout, stderr and what stands in the warehouse.

mod codes;
mod crash;
mod dry_run;
mod explain;
mod keys;
mod privacy;
mod project;
mod repeat;
mod resolve;
mod select;
mod support;
mod surface;
