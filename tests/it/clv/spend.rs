//! Gamma-Gamma: published expectations, limits, and money in any unit.

use proptest::prelude::*;
use stammkunde::clv::FitStatus;
use stammkunde::clv::gamma_gamma::{Spends, expected_spend, expected_spend_se, fit};

use super::support::{Chance, assert_all_close, assert_close};

const PARAMS: [f64; 3] = [6.249_572_3, 3.744_224_7, 15.443_521_0];

/// Customers of known parameters, their means in cents.
fn simulated(customers: usize, unit: f64) -> Spends {
    let mut chance = Chance(5);
    let mut spends = Spends::default();
    for index in 0..customers {
        let x = 1 + (index % 5) as u32;
        let rate = chance.gamma(3.7) / 15.0;
        let mean = chance.gamma(6.0 * f64::from(x)) / rate / f64::from(x);
        spends.add(x, (mean * 100.0).round().max(1.0) / 100.0 * unit, 1);
    }
    spends
}

#[test]
fn spend_of_a_customer_is_expected_as_published() {
    let spend = |x, mean| expected_spend(&PARAMS, x, mean).expect("it exists");
    assert_close("m 40, x 2", spend(2, 40.0), 39.130_534, 1e-6);
    assert_close("customer 1", spend(2, 22.345), 24.653_918_7, 1e-6);
    assert_close("customer 2", spend(1, 11.77), 18.910_018_5, 1e-6);
    assert_close("all customers", spend(0, 0.0), 35.170_371_3, 1e-6);
    assert_eq!(spend(0, 99.0), spend(0, 0.0), "without a repeat purchase the mean says nothing");
    assert_eq!(spend(1, -5.0), spend(1, 0.0), "a mean below 0 counts as 0");
}

#[test]
fn a_mean_that_does_not_exist_is_none() {
    assert_eq!(expected_spend(&[2.0, 0.9, 10.0], 0, 0.0), None);
    assert!(expected_spend(&[2.0, 0.9, 10.0], 1, 5.0).is_some());
    assert_eq!(expected_spend(&[2.0, 3.0], 1, 5.0), None);
    assert_eq!(expected_spend_se(&PARAMS, &[1.0], 1, 5.0), None);
    assert_eq!(expected_spend_se(&PARAMS, &[], 1, 5.0), Some(0.0));
}

#[test]
fn the_standard_error_is_the_delta_method() {
    let covariance = [1.42, -0.2, -4.3, -0.2, 0.084, 0.9, -4.3, 0.9, 17.3];
    for (x, mean) in [(0, 0.0), (1, 12.0), (9, 60.0)] {
        let slope = |index: usize| {
            let at = |factor: f64| {
                let mut params = PARAMS;
                params[index] *= factor;
                expected_spend(&params, x, mean).expect("it exists")
            };
            (at(1.0 + 1e-6) - at(1.0 - 1e-6)) / (2e-6 * PARAMS[index])
        };
        let slopes = [slope(0), slope(1), slope(2)];
        let variance: f64 = (0..9).map(|index| slopes[index / 3] * covariance[index] * slopes[index % 3]).sum();
        let found = expected_spend_se(&PARAMS, &covariance, x, mean).expect("it exists");
        assert_close("standard error", found, variance.sqrt(), 1e-6);
    }
}

#[test]
fn the_unit_of_money_changes_the_scale_alone() {
    let (one, other) = (fit(&simulated(800, 1.0)), fit(&simulated(800, 1e7)));
    assert_eq!((one.status, other.status), (FitStatus::Ok, FitStatus::Ok));
    assert_all_close("shapes", &one.params[..2], &other.params[..2], 1e-9);
    assert_close("scale", one.params[2] * 1e7, other.params[2], 1e-9);
    assert_close("its error", one.standard_errors[2] * 1e7, other.standard_errors[2], 1e-6);
    assert_close("likelihood", one.log_likelihood - 800.0 * 1e7_f64.ln(), other.log_likelihood, 1e-9);
}

#[test]
fn rows_in_any_order_and_parts_give_the_same_fit() {
    let rows = simulated(600, 1.0).sorted();
    let mut backwards = Spends::default();
    let mut half = Spends::default();
    for (index, &(x, mean, weight)) in rows.iter().rev().enumerate() {
        if index % 2 == 0 { &mut backwards } else { &mut half }.add(x, mean, weight);
    }
    backwards.merge(&half);
    assert_eq!(fit(&backwards), fit(&simulated(600, 1.0)));
}

#[test]
fn many_customers_are_fitted_from_a_part_to_the_same_maximum() {
    let fit = fit(&simulated(40_000, 1.0));
    assert_eq!(fit.status, FitStatus::Ok, "{fit:?}");
    assert!(fit.gradient_max < 1e-8 && fit.iterations < 12, "{fit:?}");
    for ((param, error), truth) in fit.params.iter().zip(&fit.standard_errors).zip([6.0, 3.7, 15.0]) {
        assert!((param - truth).abs() < 4.0 * error, "{fit:?}");
    }
}

#[test]
fn what_cannot_be_fitted_is_told() {
    let mut spends = Spends::default();
    spends.add(0, 10.0, 5);
    spends.add(3, 0.0, 5);
    spends.add(3, f64::NAN, 5);
    assert_eq!((fit(&spends).status, fit(&spends).n), (FitStatus::TooFewCustomers, 0));
    assert!(fit(&spends).params.is_empty());
    assert_eq!(fit(&simulated(99, 1.0)).status, FitStatus::TooFewCustomers);
    // Everybody spends the same: there is nothing to shrink, and the parameters run away.
    let mut same = Spends::default();
    same.add(2, 10.0, 500);
    same.add(3, 10.0, 500);
    let fit = fit(&same);
    assert!(matches!(fit.status, FitStatus::Boundary | FitStatus::NotConverged), "{fit:?}");
    assert!(fit.params.iter().all(|value| value.is_finite() && *value > 0.0), "{fit:?}");
    assert_close(
        "what all spend",
        expected_spend(&fit.params, 2, 10.0).expect("it exists"),
        10.0,
        1e-3,
    );
}

proptest! {
    #[test]
    fn expectations_are_finite_for_any_parameters(
        p in -8.0..8.0_f64, q in -8.0..8.0_f64, v in -8.0..8.0_f64, x in 0..5_000_u32, mean in -1e9..1e9_f64,
    ) {
        let params = [10_f64.powf(p), 10_f64.powf(q), 10_f64.powf(v)];
        for found in [expected_spend(&params, x, mean), expected_spend_se(&params, &[1e-3; 9], x, mean)].into_iter().flatten() {
            prop_assert!(found.is_finite() && found >= 0.0, "{}", found);
        }
    }
}
