//! Stage `cluster`: constrained union of links in descending weight.

mod forest;

use crate::config::spec::ClusterSpec;
use crate::table::{Clusters, CodedRecords, Link, PossibleLink, RefusalReason};
use forest::Forest;

/// Joins records along links of at least `match_weight` bits, in descending weight (ties by records). A link that would break a constraint
/// is refused, with the reason; a lighter link between two clusters is told as [`RefusalReason::BelowThreshold`].
///
/// A constraint names columns and sources by name; a name that `records` does not hold constrains nothing. The result does not depend on
/// the order of `links`. What is refused stands sorted by (left, right). O(l log l) for l links.
#[must_use]
pub fn cluster(spec: &ClusterSpec, records: &CodedRecords, links: &[Link], match_weight: f64) -> (Clusters, Vec<PossibleLink>) {
    let mut taken: Vec<Link> = links.iter().copied().filter(|link| link.weight >= match_weight).collect();
    taken.sort_unstable_by(|a, b| {
        b.weight
            .total_cmp(&a.weight)
            .then_with(|| (a.left, a.right).cmp(&(b.left, b.right)))
            .then_with(|| a.origin.cmp(&b.origin))
    });
    let mut forest = Forest::new(spec, records);
    let mut refused = Vec::new();
    for link in taken {
        if let Err(reason) = forest.join(link.left.0, link.right.0) {
            refused.push(PossibleLink { link, reason });
        }
    }
    for &link in links.iter().filter(|link| link.weight < match_weight) {
        if forest.root(link.left.0) != forest.root(link.right.0) {
            refused.push(PossibleLink {
                link,
                reason: RefusalReason::BelowThreshold,
            });
        }
    }
    refused.sort_unstable_by_key(|possible| (possible.link.left, possible.link.right, possible.link.origin));
    (forest.clusters(), refused)
}
