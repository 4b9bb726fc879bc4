//! How likely two records of a customer are one person although no link joins them: by the strongest path of links between them.

use crate::score::probability;

/// Records of a customer up to which paths are followed; they take the square of its records.
pub(super) const PATH_RECORDS_MAX: usize = 1000;

/// For each pair of `records` the product of the match probabilities along its path in the maximum spanning tree of `links`, row by row;
/// 1 of a record with itself, 0 of records that no path joins. Links are (left, right, weight), both ends among `records`, which ascend.
///
/// Identity is transitive: if a is b with probability p and b is c with probability q, independently, then a is c with at least p · q.
/// O(n² + l log l) for n records and l links.
pub(super) fn strongest(records: &[u32], links: &[(u32, u32, f64)]) -> Vec<f64> {
    let count = records.len();
    let mut paths = vec![0.0; count * count];
    let mut members: Vec<Vec<usize>> = (0..count).map(|at| vec![at]).collect();
    let mut tree: Vec<usize> = (0..count).collect();
    for at in 0..count {
        paths[at * count + at] = 1.0;
    }
    let mut sorted = links.to_vec();
    sorted.sort_unstable_by(|a, b| b.2.total_cmp(&a.2).then_with(|| (a.0, a.1).cmp(&(b.0, b.1))));
    for (left, right, weight) in sorted {
        let (Ok(left), Ok(right)) = (records.binary_search(&left), records.binary_search(&right)) else {
            continue;
        };
        let (ours, theirs) = (tree[left], tree[right]);
        if ours == theirs {
            continue;
        }
        let moved = std::mem::take(&mut members[theirs]);
        for &one in &members[ours] {
            for &other in &moved {
                let path = paths[one * count + left] * probability(weight) * paths[right * count + other];
                paths[one * count + other] = path;
                paths[other * count + one] = path;
            }
        }
        for &other in &moved {
            tree[other] = ours;
        }
        members[ours].extend(moved);
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::strongest;

    #[test]
    fn a_path_is_worth_the_product_of_its_links() {
        // 0 and 2 meet at 4 alone: 1/2 · 3/4; the weak link between 0 and 2 is no part of the tree.
        let links = [(0, 4, 0.0), (2, 4, 3.0_f64.log2()), (0, 2, -2.0)];
        let paths = strongest(&[0, 2, 4, 9], &links);
        let at = |left: usize, right: usize| paths[left * 4 + right];
        assert!((at(0, 1) - 0.375).abs() < 1e-12 && (at(1, 0) - 0.375).abs() < 1e-12);
        assert!((at(0, 2) - 0.5).abs() < 1e-12 && (at(2, 1) - 0.75).abs() < 1e-12);
        assert_eq!((at(3, 3), at(0, 3)), (1.0, 0.0));
    }
}
