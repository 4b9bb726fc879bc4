//! What keys follow, and how much they may change: weights of sources, limits of the gate.

use super::Config;
use super::findings::Path;
use super::resolve::Report;
use super::spec::KeyLimits;

const CHANGED_SHARE_MAX: f64 = 0.05;
const CHANGED_CUSTOMERS_MIN: u64 = 20;

/// What a record of each source counts, the most trusted first: one more than the number of steps below its source. A step is each listed
/// source below, and all sources that are not listed together. Without a list every record counts 1.
pub fn weights(listed: usize, sources: usize) -> Vec<u32> {
    let steps = listed.min(sources) + usize::from(sources > listed);
    let weight = |position: usize| u32::try_from(steps.saturating_sub(position).max(1)).unwrap_or(u32::MAX);
    (0..sources).map(weight).collect()
}

/// The limits, each a share of 0 or more.
pub fn limits(config: &Config, report: &mut Report<'_>) -> KeyLimits {
    let shares = &config.keys.changed_share_max;
    let mut share = |name: &str, written: Option<f64>, default: Option<f64>| match written {
        Some(share) if share.is_finite() && share >= 0.0 => Some(share),
        Some(_) => {
            let path = Path::of(&["keys", "changed_share_max", name]);
            report.at(&path, format!("`{name}` must be 0 or more"), Some("0.05 is a twentieth".to_owned()));
            default
        }
        None => default,
    };
    KeyLimits {
        created: share("created", shares.created, None),
        merged: share("merged", shares.merged, Some(CHANGED_SHARE_MAX)),
        split: share("split", shares.split, Some(CHANGED_SHARE_MAX)),
        retired: share("retired", shares.retired, Some(CHANGED_SHARE_MAX)),
        resurrected: share("resurrected", shares.resurrected, Some(CHANGED_SHARE_MAX)),
        moved: share("moved", shares.moved, Some(CHANGED_SHARE_MAX)),
        customers_min: config.keys.changed_customers_min.unwrap_or(CHANGED_CUSTOMERS_MIN),
    }
}

#[cfg(test)]
mod tests {
    use super::weights;

    #[test]
    fn a_record_counts_one_more_than_the_steps_below_its_source() {
        assert_eq!(weights(0, 3), [1, 1, 1], "no list, no difference");
        assert_eq!(weights(3, 3), [3, 2, 1]);
        assert_eq!(weights(2, 4), [3, 2, 1, 1], "those that are not listed are one step together");
        assert_eq!(weights(1, 1), [1]);
    }
}
