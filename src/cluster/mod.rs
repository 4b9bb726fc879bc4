//! Stage `cluster`: constrained union of links in descending weight, and the values that mean nobody in particular.

mod cohesion;
mod forest;
mod generic;
mod sets;

use crate::config::spec::ClusterSpec;
use crate::table::identity::LinkOrigin;
use crate::table::{Clusters, CodedRecords, Link, PossibleLink, RecordIx, RefusalReason};
use forest::Forest;
pub use generic::{generic, without};

/// Joins records along links of at least `match_weight` bits, in descending weight (ties by records). A link that would break a constraint
/// is refused, with the reason; a lighter link between two clusters is told as [`RefusalReason::BelowThreshold`].
///
/// Links that people decided come first, and no constraint refuses them. Then the pairs of `apart` are kept apart: neither they nor what
/// they are joined with ever become one. `apart` must not contradict those links.
///
/// Two groups of several records that together are more than the cohesion's `records_max` become one by a scored link only if at least its
/// share of the pairs between them are links; a later link may still join them, once they have grown. Deterministic links are free of this.
///
/// A constraint names columns and sources by name; a name that `records` does not hold constrains nothing. The result does not depend on
/// the order of `links`. What is refused and apart in the end stands sorted by (left, right). O(l log l) for l links.
#[must_use]
pub fn cluster(
    spec: &ClusterSpec,
    records: &CodedRecords,
    links: &[Link],
    apart: &[(RecordIx, RecordIx)],
    match_weight: f64,
) -> (Clusters, Vec<PossibleLink>) {
    let is_taken = |link: &Link| link.weight >= match_weight || link.origin == LinkOrigin::Decision;
    let mut taken: Vec<Link> = links.iter().copied().filter(is_taken).collect();
    taken.sort_unstable_by(|a, b| {
        b.weight
            .total_cmp(&a.weight)
            .then_with(|| (a.left, a.right).cmp(&(b.left, b.right)))
            .then_with(|| a.origin.cmp(&b.origin))
    });
    let mut forest = Forest::new(spec, records, &taken);
    for link in taken.iter().filter(|link| link.origin == LinkOrigin::Decision) {
        forest.force(link.left, link.right);
    }
    for &(left, right) in apart {
        forest.keep_apart(left, right);
    }
    let mut refused = Vec::new();
    for link in taken {
        let is_scored = matches!(link.origin, LinkOrigin::Blocking(_));
        if let Err(reason) = forest.join(link.left, link.right, is_scored) {
            refused.push(PossibleLink { link, reason });
        }
    }
    refused.extend(links.iter().filter(|link| !is_taken(link)).map(|&link| PossibleLink {
        link,
        reason: RefusalReason::BelowThreshold,
    }));
    refused.retain(|possible| forest.root(possible.link.left) != forest.root(possible.link.right));
    refused.sort_unstable_by_key(|possible| (possible.link.left, possible.link.right, possible.link.origin));
    (forest.clusters(), refused)
}
