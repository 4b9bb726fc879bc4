//! No parameters and no history make a prediction that is not a number.

use proptest::prelude::*;
use stammkunde::clv::gamma_gamma::{self, Spends};
use stammkunde::clv::sbg::{self, Tenures};
use stammkunde::clv::{Fit, Histories, History, Predictor, PurchaseModel, fit};

fn extreme() -> impl Strategy<Value = f64> {
    prop_oneof![(-8.0..8.0_f64), Just(-8.0), Just(8.0), Just(0.0)].prop_map(|exponent| 10_f64.powf(exponent))
}

fn any_history() -> impl Strategy<Value = History> {
    let age = prop_oneof![Just(0_u32), 1..30_u32, 0..=30_000_u32];
    (
        prop_oneof![Just(0_u32), 1..10_u32, 0..=5_000_u32],
        age,
        prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0_f64],
    )
        .prop_map(|(x, age, share)| History {
            x,
            recency: (f64::from(age) * share) as u32,
            age,
        })
}

fn check(model: PurchaseModel, params: &[f64], history: History, days: f64, rate: f64) -> Result<(), TestCaseError> {
    let params = &params[..model.param_names().len()];
    let mut predictor = Predictor::new(model, params).unwrap();
    let what = format!("{} {params:?} {history:?} {days} {rate}", model.name());
    for probability in [predictor.p_alive(history), predictor.p_no_purchase(history, days)] {
        prop_assert!((0.0..=1.0).contains(&probability), "{what}: {probability}");
    }
    let covariance = vec![1e-4; params.len() * params.len()];
    let endless = predictor.discounted_purchases_endless(history, rate);
    for count in [
        predictor.expected_purchases(history, days),
        predictor.discounted_purchases(history, days, rate),
        predictor.discounted_purchases_se(history, days, rate, &covariance),
        endless.unwrap_or(0.0),
    ] {
        prop_assert!(count.is_finite() && count >= 0.0, "{what}: {count}");
    }
    let log_likelihood = predictor.log_likelihood(history);
    prop_assert!(log_likelihood.is_finite(), "{what}: {log_likelihood}");
    // Nobody buys more than at the rate of those who never stop.
    if model != PurchaseModel::BgBb && days > 0.0 {
        let most = (params[0] + f64::from(history.x)) * days.min(1e6) / (7.0 * params[1] + f64::from(history.age));
        let found = predictor.expected_purchases(history, days);
        prop_assert!(found <= most * (1.0 + 1e-6), "{what}: {found} of {most}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn predictions_are_numbers_for_any_parameters_and_histories(
        params in [extreme(), extreme(), extreme(), extreme()],
        history in any_history(),
        days in prop_oneof![Just(0.0), Just(-5.0), Just(f64::NAN), Just(f64::INFINITY), 0.0..40_000.0_f64],
        rate in prop_oneof![Just(0.0), Just(-0.5), Just(f64::NAN), Just(f64::INFINITY), 0.0..3.0_f64],
    ) {
        for model in [PurchaseModel::Nbd, PurchaseModel::BgNbd, PurchaseModel::MbgNbd, PurchaseModel::ParetoNbd] {
            check(model, &params, history, days, rate)?;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn predictions_of_opportunities_are_numbers_for_any_parameters_and_histories(
        params in [extreme(), extreme(), extreme(), extreme()], history in any_history(), days in 0.0..5_000.0_f64, rate in 0.0..3.0_f64,
    ) {
        check(PurchaseModel::BgBb, &params, history, days, rate)?;
    }
}

fn check_fit(fit: &Fit) -> Result<(), TestCaseError> {
    let numbers = fit.params.iter().chain(&fit.standard_errors).chain(&fit.covariance);
    let finite = numbers
        .chain([&fit.log_likelihood, &fit.gradient_max])
        .all(|value| value.is_finite());
    let above = fit.params.iter().chain(&fit.standard_errors).all(|value| *value > 0.0);
    prop_assert!(finite && above, "{fit:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn fits_of_any_histories_are_numbers(groups in prop::collection::vec((any_history(), 1..2_000_u64), 1..25)) {
        let mut histories = Histories::default();
        let (mut spends, mut tenures) = (Spends::default(), Tenures::default());
        for (history, weight) in groups {
            histories.add(history, weight);
            spends.add(history.x, f64::from(history.recency) * 1e3_f64.powi((history.x % 5) as i32 - 2), weight);
            tenures.add(history.age, history.x % 2 == 0, weight);
        }
        for model in [PurchaseModel::Nbd, PurchaseModel::BgNbd, PurchaseModel::MbgNbd, PurchaseModel::ParetoNbd] {
            check_fit(&fit(model, &histories))?;
        }
        check_fit(&gamma_gamma::fit(&spends))?;
        check_fit(&sbg::fit(&tenures))?;
    }

    #[test]
    fn fits_of_any_opportunities_are_numbers(groups in prop::collection::vec((0..9_u32, 0..9_u32, 0..9_u32, 1..900_u64), 1..25)) {
        let mut histories = Histories::default();
        for (x, recency, age, weight) in groups {
            histories.add(History { x, recency, age }, weight);
        }
        check_fit(&fit(PurchaseModel::BgBb, &histories))?;
    }
}
