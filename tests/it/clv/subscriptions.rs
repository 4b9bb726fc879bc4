//! Shifted-beta-geometric on the retention of two groups of subscribers (Fader and Hardie 2007): 1,000 each, seven renewals.

use proptest::prelude::*;
use stammkunde::clv::FitStatus;
use stammkunde::clv::sbg::{Tenures, fit, residual_renewals, retention, survival};

use super::support::{assert_all_close, assert_close};

/// Tenures from the number of subscribers left after each renewal.
fn tenures(left: [u64; 8]) -> Tenures {
    let mut tenures = Tenures::default();
    for (period, pair) in (1..).zip(left.windows(2)) {
        tenures.add(period, true, pair[0] - pair[1]);
    }
    tenures.add(7, false, left[7]);
    tenures
}

#[test]
fn regular_and_high_end_subscribers_have_the_published_parameters() {
    for (left, params, log_likelihood, after_12) in [
        (
            [1000, 631, 468, 382, 326, 289, 262, 241],
            [0.704_08, 1.182_04],
            -1_680.265_2,
            0.170_037,
        ),
        (
            [1000, 869, 743, 653, 593, 551, 517, 491],
            [0.668_09, 3.806_09],
            -1_611.158_1,
            0.377_999,
        ),
    ] {
        let fit = fit(&tenures(left));
        assert_eq!((fit.status, fit.n), (FitStatus::Ok, 1_000), "{fit:?}");
        assert!(fit.gradient_max < 1e-8, "{fit:?}");
        assert_all_close("sbg", &fit.params, &params, 1e-5);
        assert_close("sbg", fit.log_likelihood, log_likelihood, 1e-7);
        assert_close("sbg", survival(&fit.params, 12).expect("parameters"), after_12, 1e-5);
    }
}

#[test]
fn retention_rises_as_published() {
    let params = [0.704_08, 1.182_04];
    let found: Vec<f64> = (1..=7).map(|period| retention(&params, period).expect("parameters")).collect();
    assert_all_close("retention", &found, &[0.6267, 0.7560, 0.8188, 0.8559, 0.8804, 0.8978, 0.9107], 1e-4);
    assert_eq!(retention(&params, 0), retention(&params, 1), "the first renewal is number 1");
}

#[test]
fn what_remains_is_the_sum_of_the_curve() {
    let params = [0.704_08, 1.182_04];
    let at = |periods| survival(&params, periods).expect("parameters");
    let expected: f64 = (1..=24).map(|ahead| at(3 + ahead) / at(3) / 1.01_f64.powi(ahead as i32)).sum();
    assert_close(
        "residual",
        residual_renewals(&params, 3, 24, 0.01).expect("parameters"),
        expected,
        1e-10,
    );
}

#[test]
fn too_few_ends_say_so() {
    let mut tenures = Tenures::default();
    assert_eq!(fit(&tenures).status, FitStatus::TooFewCustomers);
    assert!(fit(&tenures).params.is_empty());
    tenures.add(5, false, 1_000);
    assert_eq!(fit(&tenures).status, FitStatus::NoDropoutIdentified);
    tenures.add(2, true, 29);
    assert_eq!(fit(&tenures).status, FitStatus::TooFewCustomers);
    assert_eq!(fit(&tenures).params.len(), 2);
    // One period tells one rate: how it differs by subscriber is not identified.
    let mut one_period = Tenures::default();
    one_period.add(1, true, 300);
    one_period.add(1, false, 700);
    let fit = fit(&one_period);
    assert_eq!(fit.status, FitStatus::Boundary, "{fit:?}");
    assert_close("the one rate", retention(&fit.params, 1).expect("parameters"), 0.7, 1e-6);
    assert!(survival(&[1.0], 1).is_none() && retention(&[1.0, f64::NAN], 1).is_none());
}

proptest! {
    #[test]
    fn curves_are_probabilities_for_any_parameters(alpha in -8.0..8.0_f64, beta in -8.0..8.0_f64, periods in 0..50_000_u32) {
        let params = [10_f64.powf(alpha), 10_f64.powf(beta)];
        let (now, next) = (survival(&params, periods).unwrap(), survival(&params, periods + 1).unwrap());
        prop_assert!((0.0..=1.0).contains(&next) && next <= now * (1.0 + 1e-12));
        prop_assert!((0.0..=1.0).contains(&retention(&params, periods).unwrap()));
        let rest = residual_renewals(&params, periods, 1_000, 0.01).unwrap();
        prop_assert!((0.0..=1_000.0).contains(&rest));
    }
}
