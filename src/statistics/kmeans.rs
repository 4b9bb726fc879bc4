//! k-means for personas: standardized features, k-means++ with a fixed seed, Lloyd's iteration, and k by the silhouette.
//!
//! Unscaled features put nearly everybody into one cluster, because the one with the largest unit decides every distance; so features
//! are standardized here, after values beyond the 1st and 99th percentile were moved there, so that a few extremes do not get clusters of their
//! own. Rows are sorted first: the result is the same for any order of rows.

use serde::{Deserialize, Serialize};

/// The most clusters that can be asked for.
pub const CLUSTERS_MAX: usize = 20;

/// Share of values at either end that is moved inwards.
const TAIL_SHARE: f64 = 0.01;
const RESTARTS: u64 = 4;
const ITERATIONS_MAX: usize = 100;
/// The silhouette compares each sampled point with each other: its cost grows with the square of this.
const SILHOUETTE_SAMPLE_MAX: usize = 1_000;

/// What to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Fewest clusters, at least 1.
    pub k_min: usize,
    /// Most clusters, at most [`CLUSTERS_MAX`].
    pub k_max: usize,
    /// Start of the random numbers.
    pub seed: u64,
}

/// Clusters, largest first, with what is needed to assign a further point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clusters {
    /// Number of clusters.
    pub k: usize,
    /// Mean silhouette of the chosen k, -1 to 1; `None` for a single cluster.
    pub silhouette: Option<f64>,
    /// Mean silhouette of every k that was tried: (k, silhouette).
    pub silhouettes: Vec<(usize, f64)>,
    /// Points that were fitted.
    pub points: u64,
    /// Points of each cluster.
    pub sizes: Vec<u64>,
    /// How each feature is standardized.
    pub features: Vec<Feature>,
    /// Center of each cluster in standardized features.
    pub centers: Vec<Vec<f64>>,
}

/// How a feature is standardized: moved into `low..=high`, then less `mean` and divided by `scale`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// 1st percentile.
    pub low: f64,
    /// 99th percentile.
    pub high: f64,
    /// Mean between them.
    pub mean: f64,
    /// Standard deviation between them; 0 for a feature that is constant and therefore left out.
    pub scale: f64,
}

/// Fits clusters to points of `dimensions` features each, given one after the other. Points with a number that is not finite are left out.
/// `None` without a point or a feature. With fewer distinct points than `k_min` there are as many clusters as distinct points.
///
/// k-means++: Arthur and Vassilvitskii 2007; silhouette: Rousseeuw 1987, over an even sample of 1,000 points.
#[must_use]
pub fn fit(points: &[f64], dimensions: usize, options: Options) -> Option<Clusters> {
    if dimensions == 0 {
        return None;
    }
    let mut rows: Vec<&[f64]> = points
        .chunks_exact(dimensions)
        .filter(|row| row.iter().all(|value| value.is_finite()))
        .collect();
    rows.sort_unstable_by(|left, right| compare(left, right));
    if rows.is_empty() {
        return None;
    }
    let features: Vec<Feature> = (0..dimensions).map(|feature| Feature::of(&rows, feature)).collect();
    let standardized: Vec<f64> = rows.iter().flat_map(|row| standardize(row, &features)).collect();
    let space = Space {
        points: &standardized,
        dimensions,
    };
    let k_max = options.k_max.clamp(1, CLUSTERS_MAX).min(space.distinct(CLUSTERS_MAX));
    let k_min = options.k_min.clamp(1, k_max);
    let sample = Sample::of(&space);
    let mut silhouettes: Vec<(usize, f64)> = Vec::new();
    let mut best: Option<(f64, Partition)> = None;
    for k in k_min..=k_max {
        let partition = space.best_partition(k, options.seed);
        let silhouette = if k == 1 { 0.0 } else { sample.silhouette(&partition.assigned, k) };
        if k > 1 {
            silhouettes.push((k, silhouette));
        }
        if best.as_ref().is_none_or(|(highest, _)| silhouette > *highest) {
            best = Some((silhouette, partition));
        }
    }
    let (silhouette, partition) = best?;
    let (centers, sizes) = partition.largest_first(dimensions);
    Some(Clusters {
        k: centers.len(),
        silhouette: (centers.len() > 1).then_some(silhouette),
        silhouettes,
        points: rows.len() as u64,
        sizes,
        features,
        centers,
    })
}

impl Clusters {
    /// Position of the nearest center, from 0; `None` if the point has another number of features or one that is not finite.
    #[must_use]
    pub fn assign(&self, point: &[f64]) -> Option<usize> {
        if point.len() != self.features.len() || point.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let standardized: Vec<f64> = standardize(point, &self.features).collect();
        let nearest = |(position, center): (usize, &Vec<f64>)| (squared_distance(&standardized, center), position);
        let distances = self.centers.iter().enumerate().map(nearest);
        distances
            .min_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)))
            .map(|(_, position)| position)
    }
}

fn compare(left: &[f64], right: &[f64]) -> std::cmp::Ordering {
    let first_difference = left.iter().zip(right).map(|(left, right)| left.total_cmp(right));
    first_difference.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
}

impl Feature {
    fn of(rows: &[&[f64]], feature: usize) -> Self {
        let mut values: Vec<f64> = rows.iter().map(|row| row[feature]).collect();
        values.sort_unstable_by(f64::total_cmp);
        let last = values.len() - 1;
        let tail = (last as f64 * TAIL_SHARE) as usize;
        let (low, high, count) = (values[tail], values[last - tail], values.len() as f64);
        let inside = || values.iter().map(|value| value.clamp(low, high));
        let mean = inside().map(|value| value / count).sum::<f64>();
        let variance = inside().map(|value| (value - mean).powi(2) / count).sum::<f64>();
        let scale = variance.sqrt();
        // Below this a deviation is nothing but rounding.
        let is_constant = !scale.is_finite() || scale <= mean.abs() * 1e-9 || scale < f64::MIN_POSITIVE;
        let scale = if is_constant { 0.0 } else { scale };
        Self { low, high, mean, scale }
    }
}

fn standardize<'a>(row: &'a [f64], features: &'a [Feature]) -> impl Iterator<Item = f64> + 'a {
    row.iter().zip(features).map(|(value, feature)| {
        if feature.scale > 0.0 {
            (value.clamp(feature.low, feature.high) - feature.mean) / feature.scale
        } else {
            0.0
        }
    })
}

fn squared_distance(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| (left - right) * (left - right)).sum()
}

/// Standardized points, one after the other.
struct Space<'a> {
    points: &'a [f64],
    dimensions: usize,
}

/// One way to divide the points.
struct Partition {
    centers: Vec<f64>,
    assigned: Vec<usize>,
    inertia: f64,
}

impl Space<'_> {
    fn len(&self) -> usize {
        self.points.len() / self.dimensions
    }

    fn point(&self, position: usize) -> &[f64] {
        &self.points[position * self.dimensions..(position + 1) * self.dimensions]
    }

    /// Number of distinct points, counted up to `enough`.
    fn distinct(&self, enough: usize) -> usize {
        let mut found: Vec<&[f64]> = Vec::new();
        for position in 0..self.len() {
            let point = self.point(position);
            if !found.contains(&point) {
                found.push(point);
            }
            if found.len() == enough {
                break;
            }
        }
        found.len()
    }

    /// The partition of least inertia among several starts; of equal ones the first.
    fn best_partition(&self, k: usize, seed: u64) -> Partition {
        let start = |restart: u64| {
            let mut random = Random(seed ^ (k as u64).rotate_left(32) ^ restart.rotate_left(48));
            self.refine(self.spread_centers(k, &mut random))
        };
        let mut best = start(0);
        for restart in 1..RESTARTS {
            let other = start(restart);
            if other.inertia < best.inertia {
                best = other;
            }
        }
        best
    }

    /// k-means++: each further center is a point, drawn in proportion to its squared distance from the nearest center so far.
    fn spread_centers(&self, k: usize, random: &mut Random) -> Vec<f64> {
        let first = ((random.share() * self.len() as f64) as usize).min(self.len() - 1);
        let mut centers = self.point(first).to_vec();
        let mut nearest: Vec<f64> = (0..self.len())
            .map(|at| squared_distance(self.point(at), self.point(first)))
            .collect();
        for _ in 1..k {
            let mut left = random.share() * nearest.iter().sum::<f64>();
            let mut chosen = farthest(&nearest);
            for (position, distance) in nearest.iter().enumerate().filter(|(_, distance)| **distance > 0.0) {
                left -= distance;
                if left < 0.0 {
                    chosen = position;
                    break;
                }
            }
            let center = self.point(chosen).to_vec();
            for (position, distance) in nearest.iter_mut().enumerate() {
                *distance = distance.min(squared_distance(self.point(position), &center));
            }
            centers.extend(center);
        }
        centers
    }

    /// Lloyd: assign to the nearest center, move centers to their means, until nothing changes. A cluster that lost all points starts
    /// again at the point that is farthest from its center.
    fn refine(&self, mut centers: Vec<f64>) -> Partition {
        let k = centers.len() / self.dimensions;
        let (mut assigned, mut distances) = (vec![usize::MAX; self.len()], vec![0.0; self.len()]);
        for _ in 0..ITERATIONS_MAX {
            let mut is_stable = true;
            for position in 0..self.len() {
                let (cluster, distance) = nearest_center(self.point(position), &centers, self.dimensions);
                is_stable &= assigned[position] == cluster;
                (assigned[position], distances[position]) = (cluster, distance);
            }
            if is_stable {
                break;
            }
            let mut counts = vec![0_u64; k];
            centers.fill(0.0);
            for (position, &cluster) in assigned.iter().enumerate() {
                counts[cluster] += 1;
                let center = &mut centers[cluster * self.dimensions..(cluster + 1) * self.dimensions];
                center.iter_mut().zip(self.point(position)).for_each(|(sum, value)| *sum += value);
            }
            for (cluster, &count) in counts.iter().enumerate() {
                let center = &mut centers[cluster * self.dimensions..(cluster + 1) * self.dimensions];
                if count > 0 {
                    center.iter_mut().for_each(|sum| *sum /= count as f64);
                } else {
                    let position = farthest(&distances);
                    center.copy_from_slice(self.point(position));
                    distances[position] = 0.0;
                }
            }
        }
        Partition {
            inertia: distances.iter().sum(),
            centers,
            assigned,
        }
    }
}

impl Partition {
    /// Centers that have a point, with their points: by size, then by place.
    fn largest_first(&self, dimensions: usize) -> (Vec<Vec<f64>>, Vec<u64>) {
        let centers = self.centers.chunks_exact(dimensions).enumerate();
        let mut clusters: Vec<(u64, Vec<f64>)> = centers
            .map(|(cluster, center)| {
                let size = self.assigned.iter().filter(|&&assigned| assigned == cluster).count();
                (size as u64, center.to_vec())
            })
            .filter(|(size, _)| *size > 0)
            .collect();
        clusters.sort_by(|left, right| right.0.cmp(&left.0).then_with(|| compare(&left.1, &right.1)));
        clusters.into_iter().map(|(size, center)| (center, size)).unzip()
    }
}

fn nearest_center(point: &[f64], centers: &[f64], dimensions: usize) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    for (cluster, center) in centers.chunks_exact(dimensions).enumerate() {
        let distance = squared_distance(point, center);
        if distance < best.1 {
            best = (cluster, distance);
        }
    }
    best
}

/// Position of the largest number, the first of equal ones.
fn farthest(distances: &[f64]) -> usize {
    let mut best = 0;
    for (position, distance) in distances.iter().enumerate() {
        if *distance > distances[best] {
            best = position;
        }
    }
    best
}

/// Points at even steps through the sorted points, and the distances between all of them.
struct Sample {
    positions: Vec<usize>,
    distances: Vec<f64>,
}

impl Sample {
    fn of(space: &Space<'_>) -> Self {
        let count = space.len().min(SILHOUETTE_SAMPLE_MAX);
        let positions: Vec<usize> = (0..count).map(|index| index * space.len() / count).collect();
        let mut distances = vec![0.0; count * count];
        for left in 0..count {
            for right in 0..left {
                let distance = squared_distance(space.point(positions[left]), space.point(positions[right])).sqrt();
                distances[left * count + right] = distance;
                distances[right * count + left] = distance;
            }
        }
        Self { positions, distances }
    }

    /// Mean of (b - a) / max(a, b): a is a point's mean distance to its own cluster, b to the nearest other one. A point alone counts 0.
    fn silhouette(&self, assigned: &[usize], k: usize) -> f64 {
        let count = self.positions.len();
        let clusters: Vec<usize> = self.positions.iter().map(|&position| assigned[position]).collect();
        let mut sizes = vec![0_u32; k];
        clusters.iter().for_each(|&cluster| sizes[cluster] += 1);
        let mut total = 0.0;
        let mut sums = vec![0.0; k];
        for (index, &own) in clusters.iter().enumerate() {
            if sizes[own] < 2 {
                continue;
            }
            sums.fill(0.0);
            for (distance, &cluster) in self.distances[index * count..(index + 1) * count].iter().zip(&clusters) {
                sums[cluster] += distance;
            }
            let inside = sums[own] / f64::from(sizes[own] - 1);
            let others = (0..k).filter(|&cluster| cluster != own && sizes[cluster] > 0);
            let outside = others
                .map(|cluster| sums[cluster] / f64::from(sizes[cluster]))
                .fold(f64::INFINITY, f64::min);
            if outside.is_finite() && inside.max(outside) > 0.0 {
                total += (outside - inside) / inside.max(outside);
            }
        }
        total / count as f64
    }
}

/// SplitMix64: enough to spread centers, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: Options = Options {
        k_min: 2,
        k_max: 8,
        seed: 7,
    };

    /// Three clouds of 40 points each, in units that differ a thousandfold.
    fn clouds() -> Vec<f64> {
        let mut random = Random(3);
        let centers = [(0.0, 0.0), (10.0, 0.0), (0.0, 10_000.0)];
        let mut points = Vec::new();
        for index in 0..120 {
            let (left, right) = centers[index % 3];
            points.extend([left + random.share(), right + 1_000.0 * random.share()]);
        }
        points
    }

    #[test]
    fn three_clouds_in_different_units_are_found() {
        let clusters = fit(&clouds(), 2, OPTIONS).expect("points");
        assert_eq!((clusters.k, clusters.sizes.as_slice()), (3, [40, 40, 40].as_slice()));
        assert!(clusters.silhouette.expect("three clusters") > 0.8, "{:?}", clusters.silhouettes);
        let assigned = [[0.5, 500.0], [10.5, 500.0], [0.5, 10_500.0]].map(|point| clusters.assign(&point).expect("a finite point"));
        assert!(assigned[0] != assigned[1] && assigned[1] != assigned[2] && assigned[0] != assigned[2]);
    }

    #[test]
    fn the_order_of_points_changes_nothing() {
        let points = clouds();
        let reversed: Vec<f64> = points.chunks_exact(2).rev().flatten().copied().collect();
        assert_eq!(fit(&points, 2, OPTIONS), fit(&reversed, 2, OPTIONS));
    }

    #[test]
    fn equal_points_are_one_cluster_and_no_points_are_none() {
        let clusters = fit(&[4.0, 1.0, 4.0, 1.0, 4.0, 1.0], 2, OPTIONS).expect("points");
        assert_eq!((clusters.k, clusters.silhouette), (1, None));
        assert_eq!(clusters.assign(&[9.0, 9.0]), Some(0));
        assert_eq!(fit(&[], 2, OPTIONS), None);
        assert_eq!(fit(&[f64::NAN, 1.0], 2, OPTIONS), None);
    }

    #[test]
    fn a_few_extremes_do_not_push_everybody_else_into_one_cluster() {
        let mut points: Vec<f64> = (0..9).flat_map(|_| clouds()).collect();
        points.extend([1e9, 1e9, 2e9, -1e9]);
        let clusters = fit(&points, 2, OPTIONS).expect("points");
        // The two lie at the edge of everybody else, where they may be a cluster of their own.
        assert!(clusters.k <= 4, "{:?}", clusters.silhouettes);
        let large = clusters.sizes.iter().filter(|&&size| (360..=362).contains(&size)).count();
        assert_eq!(large, 3, "{:?}", clusters.sizes);
    }

    #[test]
    fn another_number_of_features_or_a_number_that_is_not_finite_is_assigned_to_nobody() {
        let clusters = fit(&clouds(), 2, OPTIONS).expect("points");
        assert_eq!(clusters.assign(&[1.0]), None);
        assert_eq!(clusters.assign(&[1.0, f64::INFINITY]), None);
    }
}
