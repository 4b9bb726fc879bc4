//! What holds whatever the data: order, parts and threads change nothing, and predictions agree with each other.

use proptest::prelude::*;
use stammkunde::clv::{Histories, History, Predictor, PurchaseModel, fit};

use super::support::{Chance, assert_close, histories};

/// Customers of BG/NBD in days; more than fit into one piece of the sum.
fn customers(count: usize) -> Vec<History> {
    let mut chance = Chance(11);
    let one = |index: usize| {
        let age = 150.0 + (index % 600) as f64;
        let (gap, p) = (7.0 * 5.0 / chance.gamma(0.5), chance.beta(0.8, 2.5));
        let (mut now, mut x, mut last) = (0.0, 0, 0);
        loop {
            now += gap * chance.exponential();
            if now > age {
                break;
            }
            (x, last) = (x + 1, now.ceil() as u32);
            if chance.uniform() < p {
                break;
            }
        }
        History {
            x,
            recency: last,
            age: age as u32,
        }
    };
    (0..count).map(one).collect()
}

#[test]
fn order_parts_and_threads_change_no_bit() {
    let customers = customers(6_000);
    let forwards = histories(customers.iter().copied());
    assert!(forwards.len() > 3_000, "{}", forwards.len());
    let mut backwards = histories(customers[..2_000].iter().rev().copied());
    backwards.merge(&histories(customers[2_000..].iter().rev().copied()));
    for model in [PurchaseModel::Nbd, PurchaseModel::MbgNbd, PurchaseModel::ParetoNbd] {
        let threads = |count: usize| rayon::ThreadPoolBuilder::new().num_threads(count).build().expect("threads");
        let one = threads(1).install(|| fit(model, &forwards));
        let other = threads(3).install(|| fit(model, &backwards));
        assert_eq!(one, other);
        assert!(one.gradient_max < 1e-8, "{one:?}");
    }
}

#[test]
fn many_histories_are_fitted_from_cells_to_the_same_maximum() {
    let histories = histories(customers(40_000));
    assert!(histories.len() > 16_384, "{}", histories.len());
    let all = fit(PurchaseModel::MbgNbd, &histories);
    assert!(all.converged && all.gradient_max < 1e-8 && all.iterations < 12, "{all:?}");
}

fn moderate() -> impl Strategy<Value = f64> {
    (-1.5..1.5_f64).prop_map(|exponent| 10_f64.powf(exponent))
}

fn histories_of_days() -> impl Strategy<Value = History> {
    (0..60_u32, 1..1_500_u32, 0.0..=1.0_f64).prop_map(|(x, age, share)| History {
        x: x.min(age),
        recency: if x == 0 {
            0
        } else {
            ((f64::from(age) * share) as u32).max(x.min(age))
        },
        age,
    })
}

const IN_WEEKS: [PurchaseModel; 4] = [
    PurchaseModel::Nbd,
    PurchaseModel::BgNbd,
    PurchaseModel::MbgNbd,
    PurchaseModel::ParetoNbd,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn silence_is_the_ratio_of_likelihoods(
        params in [moderate(), moderate(), moderate(), moderate()], history in histories_of_days(), days in 1..1_000_u32,
    ) {
        for model in IN_WEEKS {
            let mut predictor = Predictor::new(model, &params[..model.param_names().len()]).unwrap();
            let later = History { age: history.age + days, ..history };
            let expected = (predictor.log_likelihood(later) - predictor.log_likelihood(history)).exp();
            let found = predictor.p_no_purchase(history, f64::from(days));
            prop_assert!((found - expected).abs() < 1e-9, "{} {found} {expected}", model.name());
        }
    }

    #[test]
    fn purchases_begin_at_the_rate_of_who_is_alive(
        params in [moderate(), moderate(), moderate(), moderate()], history in histories_of_days(),
    ) {
        for model in IN_WEEKS {
            let mut predictor = Predictor::new(model, &params[..model.param_names().len()]).unwrap();
            let rate = predictor.p_alive(history) * (params[0] + f64::from(history.x)) / (7.0 * params[1] + f64::from(history.age));
            let found = predictor.expected_purchases(history, 1e-6) / 1e-6;
            prop_assert!((found / rate - 1.0).abs() < 1e-4, "{} {found} {rate}", model.name());
        }
    }

    #[test]
    fn longer_horizons_bring_more_and_discounting_less(
        params in [moderate(), moderate(), moderate(), moderate()], history in histories_of_days(), days in 1.0..1_000.0_f64,
    ) {
        for model in PurchaseModel::ALL {
            let mut predictor = Predictor::new(model, &params[..model.param_names().len()]).unwrap();
            let (now, later) = (predictor.expected_purchases(history, days), predictor.expected_purchases(history, days + 50.0));
            prop_assert!(now <= later * (1.0 + 1e-9), "{} {now} {later}", model.name());
            prop_assert!(predictor.p_no_purchase(history, days + 50.0) <= predictor.p_no_purchase(history, days) + 1e-12);
            let [plain, some, much] = [0.0, 0.1, 0.9].map(|rate| predictor.discounted_purchases(history, days, rate));
            prop_assert!(plain == now && some <= plain * (1.0 + 1e-9) && much <= some * (1.0 + 1e-9), "{plain} {some} {much}");
            // A purchase is worth at least what one on the last day is.
            let least = if model == PurchaseModel::BgBb { 0.0 } else { plain * 1.1_f64.powf(-days / 365.2425) };
            prop_assert!(some >= least * (1.0 - 1e-9), "{some} {least}");
        }
    }
}

#[test]
fn discounting_is_the_sum_over_short_spans() {
    let history = History {
        x: 4,
        recency: 130,
        age: 210,
    };
    for (model, params) in [
        (PurchaseModel::Nbd, vec![0.6, 9.0]),
        (PurchaseModel::BgNbd, vec![0.25, 4.4, 0.8, 2.4]),
        (PurchaseModel::MbgNbd, vec![0.52, 6.2, 0.9, 1.6]),
        // Beyond the bounds of the series: the rates hardly differ, or nearly nobody stops.
        (PurchaseModel::MbgNbd, vec![60.0, 500.0, 0.9, 1.6]),
        (PurchaseModel::BgNbd, vec![0.25, 4.4, 0.8, 5e5]),
        (PurchaseModel::ParetoNbd, vec![0.55, 10.6, 0.6, 11.7]),
    ] {
        let mut predictor = Predictor::new(model, &params).expect("parameters");
        let mut sum = 0.0;
        let mut before = 0.0;
        for day in 1..=1_095 {
            let until = predictor.expected_purchases(history, f64::from(day));
            sum += (until - before) * 1.1_f64.powf(-(f64::from(day) - 0.5) / 365.2425);
            before = until;
        }
        assert_close(model.name(), predictor.discounted_purchases(history, 1_095.0, 0.1), sum, 1e-7);
    }
}

#[test]
fn an_endless_value_is_the_limit_of_long_ones() {
    let mut predictor = Predictor::new(PurchaseModel::ParetoNbd, &[0.55, 10.6, 0.6, 11.7]).expect("parameters");
    let history = History {
        x: 4,
        recency: 130,
        age: 210,
    };
    let endless = predictor.discounted_purchases_endless(history, 0.15).expect("Pareto/NBD");
    assert_close("endless", predictor.discounted_purchases(history, 150_000.0, 0.15), endless, 1e-9);
    assert_eq!(predictor.discounted_purchases_endless(history, 0.0), None);
}

#[test]
fn standard_errors_of_predictions_are_the_delta_method() {
    let history = History {
        x: 3,
        recency: 150,
        age: 260,
    };
    for (model, params) in [
        (PurchaseModel::Nbd, vec![0.6, 9.0]),
        (PurchaseModel::BgNbd, vec![0.25, 4.4, 0.8, 2.4]),
        (PurchaseModel::MbgNbd, vec![0.52, 6.2, 0.9, 1.6]),
        (PurchaseModel::ParetoNbd, vec![0.55, 10.6, 0.6, 11.7]),
        (PurchaseModel::BgBb, vec![1.2, 0.75, 0.66, 2.8]),
    ] {
        let count = params.len();
        // Each parameter off by a tenth, next to each other slightly correlated.
        let covariance: Vec<f64> = (0..count * count)
            .map(|index| {
                let (row, column) = (index / count, index % count);
                params[row] * params[column] * 0.01 * 0.3_f64.powi(row.abs_diff(column) as i32)
            })
            .collect();
        let slope = |index: usize| {
            let at = |factor: f64| {
                let mut params = params.clone();
                params[index] *= factor;
                Predictor::new(model, &params)
                    .expect("parameters")
                    .discounted_purchases(history, 365.0, 0.1)
            };
            (at(1.0 + 1e-5) - at(1.0 - 1e-5)) / (2e-5 * params[index])
        };
        let slopes: Vec<f64> = (0..count).map(slope).collect();
        let variance: f64 = (0..count * count)
            .map(|index| slopes[index / count] * covariance[index] * slopes[index % count])
            .sum();
        let mut predictor = Predictor::new(model, &params).expect("parameters");
        let found = predictor.discounted_purchases_se(history, 365.0, 0.1, &covariance);
        assert_close(model.name(), found, variance.sqrt(), 1e-4);
        assert_eq!(predictor.discounted_purchases_se(history, 365.0, 0.1, &[]), 0.0);
    }
}

#[test]
fn what_is_remembered_changes_nothing() {
    let params = [0.52, 6.2, 0.9, 1.6];
    let mut used = Predictor::new(PurchaseModel::MbgNbd, &params).expect("parameters");
    for history in customers(300) {
        let mut fresh = Predictor::new(PurchaseModel::MbgNbd, &params).expect("parameters");
        for days in [30.0, 365.0] {
            assert_eq!(
                used.discounted_purchases(history, days, 0.1),
                fresh.discounted_purchases(history, days, 0.1)
            );
            assert_eq!(used.p_no_purchase(history, days), fresh.p_no_purchase(history, days));
        }
    }
}

#[test]
fn histories_are_counted_once() {
    let history = History {
        x: 2,
        recency: 10,
        age: 20,
    };
    let late = History { recency: 99, ..history };
    let mut histories = Histories::default();
    assert!(histories.is_empty());
    for history in [history, history, late] {
        histories.add(history, 2);
    }
    let at_age = History { recency: 20, ..history };
    assert_eq!(
        histories.sorted(),
        [(history, 4), (at_age, 2)],
        "a purchase after the age is one on its last day"
    );
    assert_eq!((histories.len(), histories.customers()), (2, 6));
}
