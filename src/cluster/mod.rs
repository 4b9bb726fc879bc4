//! Stage `cluster`: constrained union of links in descending weight.

use crate::config::spec::ClusterSpec;
use crate::table::{Clusters, CodedRecords, Link, PossibleLink};

/// Joins records along links in descending weight (ties by records). A link that would break a constraint is refused, with the reason.
///
/// The result does not depend on the order of `links`.
#[must_use]
pub fn cluster(_spec: &ClusterSpec, _records: &CodedRecords, _links: &[Link]) -> (Clusters, Vec<PossibleLink>) {
    todo!()
}
