//! Fits and sums of the CDNOW sample and the apparel data, as lifetimes, BTYD, BTYDplus and CLVTools have them, from the raw logs.

use serde_json::Value;
use stammkunde::clv::{Fit, FitStatus, Predictor, PurchaseModel, fit, gamma_gamma};

use super::support::{Customer, Log, annual, assert_all_close, assert_close, golden, number};

/// Our name, and that of the golden files.
const MODELS: [(PurchaseModel, &str); 3] = [
    (PurchaseModel::BgNbd, "BG/NBD"),
    (PurchaseModel::MbgNbd, "MBG/NBD"),
    (PurchaseModel::ParetoNbd, "Pareto/NBD"),
];

fn check_fit(fit: &Fit, golden: &Value, names: &[&str]) {
    let expected = |part: &str| -> Vec<f64> { names.iter().map(|name| number(golden, &[part, name])).collect() };
    assert_eq!((fit.status, fit.converged), (FitStatus::Ok, true), "{fit:?}");
    assert!(fit.gradient_max < 1e-8, "{fit:?}");
    assert_all_close(fit.model, &fit.params, &expected("params"), 1e-6);
    assert_close(fit.model, fit.log_likelihood, number(golden, &["loglik"]), 1e-10);
    assert_all_close(fit.model, &fit.standard_errors, &expected("se"), 1e-4);
    let from_covariance: Vec<f64> = (0..names.len())
        .map(|index| fit.covariance[index * (names.len() + 1)].sqrt())
        .collect();
    assert_all_close(fit.model, &from_covariance, &fit.standard_errors, 1e-12);
}

fn predictor(model: PurchaseModel, log: &Log) -> Predictor {
    Predictor::new(model, &fit(model, &log.histories()).params).expect("parameters of a fit")
}

#[test]
fn the_cdnow_sample_is_summarized_as_in_the_papers() {
    let Some(log) = Log::cdnow() else { return };
    let histories = log.histories();
    assert_eq!((histories.customers(), histories.len()), (2_357, 1_016));
    assert_eq!(log.customers.values().map(|customer| customer.history.x).sum::<u32>(), 2_457);
    assert_eq!(log.customers.values().map(|customer| customer.later).sum::<u32>(), 1_882);
}

#[test]
fn models_of_the_cdnow_sample_have_the_published_parameters() {
    let (Some(log), Some(golden)) = (Log::cdnow(), golden("golden/cdnow_sample.json")) else {
        return;
    };
    for (model, name) in MODELS {
        check_fit(&fit(model, &log.histories()), &golden["models"][name], model.param_names());
    }
    check_fit(
        &gamma_gamma::fit(&log.spends()),
        &golden["models"]["Gamma-Gamma"],
        &gamma_gamma::PARAM_NAMES,
    );
    let nbd = fit(PurchaseModel::Nbd, &log.histories());
    assert_eq!(nbd.status, FitStatus::Ok);
    assert_all_close("nbd", &nbd.params, &[0.384_766_14, 12.072_022_84], 1e-6);
    assert_all_close("nbd", &nbd.standard_errors, &[0.020_98, 0.808_72], 1e-3);
    assert_close("nbd", nbd.log_likelihood, -9_763.657_615, 1e-10);
}

#[test]
fn models_of_the_apparel_data_have_the_published_parameters() {
    let (Some(log), Some(golden)) = (Log::apparel(), golden("golden/apparel.json")) else {
        return;
    };
    for (model, name) in MODELS {
        check_fit(&fit(model, &log.histories()), &golden["models"][name], model.param_names());
    }
    check_fit(
        &gamma_gamma::fit(&log.spends()),
        &golden["models"]["Gamma-Gamma"],
        &gamma_gamma::PARAM_NAMES,
    );
}

#[test]
fn expected_purchases_of_the_holdout_are_those_of_the_reference() {
    for (log, file) in [(Log::cdnow(), "golden/cdnow_sample.json"), (Log::apparel(), "golden/apparel.json")] {
        let (Some(log), Some(golden)) = (log, golden(file)) else { return };
        let days = number(&golden, &["holdout_len"]) * 7.0;
        for (model, name) in MODELS {
            let mut predictor = predictor(model, &log);
            let golden = &golden["models"][name];
            let mut by_count = [(0.0, 0.0); 8];
            for customer in log.customers.values() {
                let group = &mut by_count[customer.history.x.min(7) as usize];
                group.0 += 1.0;
                group.1 += predictor.expected_purchases(customer.history, days);
            }
            let sum: f64 = by_count.iter().map(|group| group.1).sum();
            assert_close(name, sum, number(golden, &["sum_cet"]), 1e-6);
            for (count, (customers, sum)) in by_count.iter().enumerate() {
                let expected = number(golden, &["holdout", "by_freq", &count.to_string(), "pred"]);
                assert_close(name, sum / customers, expected, 1e-6);
            }
            assert_close(name, predictor.expected_purchases_new(364.0), number(golden, &["E_X52"]), 1e-6);
            let alive: f64 = log.customers.values().map(|customer| predictor.p_alive(customer.history)).sum();
            let mean = alive / log.customers.len() as f64;
            if model != PurchaseModel::ParetoNbd || golden.get("mean_palive").is_some() {
                assert_close(name, mean, number(golden, &["mean_palive"]), 1e-6);
            }
        }
    }
}

/// Share of pairs of a silent and a buying customer that the score puts in order.
fn area_under_curve(mut scored: Vec<(f64, bool)>) -> f64 {
    scored.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut rank, mut ranks_of_silent, mut silent) = (1.0, 0.0, 0.0);
    for ties in scored.chunk_by(|one, other| one.0 == other.0) {
        let count = ties.len() as f64;
        let mean_rank = rank + (count - 1.0) / 2.0;
        let silent_here = ties.iter().filter(|customer| customer.1).count() as f64;
        ranks_of_silent += mean_rank * silent_here;
        silent += silent_here;
        rank += count;
    }
    (ranks_of_silent - silent * (silent + 1.0) / 2.0) / (silent * (scored.len() as f64 - silent))
}

#[test]
fn silence_of_39_weeks_is_predicted_as_well_as_in_the_reference() {
    let (Some(log), Some(golden)) = (Log::cdnow(), golden("golden/cdnow_sample_churn.json")) else {
        return;
    };
    for (model, name) in MODELS {
        let mut predictor = predictor(model, &log);
        let mut scored = |ask: &dyn Fn(&mut Predictor, &Customer) -> f64| -> Vec<(f64, bool)> {
            let score = |customer: &Customer| (ask(&mut predictor, customer), customer.later == 0);
            log.customers.values().map(score).collect()
        };
        let silent = scored(&|predictor, customer| predictor.p_no_purchase(customer.history, 273.0));
        let dead = scored(&|predictor, customer| 1.0 - predictor.p_alive(customer.history));
        let count = silent.len() as f64;
        let mean: f64 = silent.iter().map(|customer| customer.0).sum::<f64>() / count;
        let brier = silent
            .iter()
            .map(|customer| (customer.0 - f64::from(u8::from(customer.1))).powi(2))
            .sum::<f64>()
            / count;
        assert_close(name, mean, number(&golden[name], &["mean_p"]), 1e-6);
        assert_close(name, brier, number(&golden[name], &["brier"]), 1e-6);
        // Neighbors in rank may swap by the last digit of the reference.
        assert_close(name, area_under_curve(silent), number(&golden[name], &["auc"]), 1e-4);
        assert_close(name, area_under_curve(dead), number(&golden[name], &["auc_1_minus_palive"]), 1e-4);
    }
}

#[test]
fn discounted_purchases_and_their_money_are_those_of_the_reference() {
    let (Some(log), Some(golden)) = (Log::cdnow(), golden("golden/cdnow_sample_det.json")) else {
        return;
    };
    let rate = annual(1.1_f64.ln() / 52.0);
    let spend = gamma_gamma::fit(&log.spends()).params;
    for (model, name) in MODELS {
        let mut predictor = predictor(model, &log);
        for weeks in [52_u32, 156] {
            let golden = &golden[format!("{name} h={weeks}wk d=10%/yr")];
            let days = f64::from(weeks) * 7.0;
            let (mut sum, mut plain, mut money) = (0.0, 0.0, 0.0);
            for customer in log.customers.values() {
                let discounted = predictor.discounted_purchases(customer.history, days, rate);
                sum += discounted;
                plain += predictor.expected_purchases(customer.history, days);
                money += discounted * gamma_gamma::expected_spend(&spend, customer.history.x, customer.mean_spend).expect("q is above 1");
            }
            assert_close(name, sum, number(golden, &["sum_det"]), 1e-6);
            assert_close(name, plain, number(golden, &["sum_undisc"]), 1e-6);
            assert_close(name, money, number(golden, &["sum_clv"]), 1e-6);
            for (id, expected) in golden["cust"].as_object().expect("customers") {
                let customer = &log.customers[&id.parse().expect("a number")];
                let found = predictor.discounted_purchases(customer.history, days, rate);
                assert_close(id, found, expected.as_f64().expect("a number"), 1e-6);
            }
        }
    }
}

#[test]
fn the_endless_value_of_the_cdnow_sample_is_that_of_the_reference() {
    let Some(log) = Log::cdnow() else { return };
    let mut predictor = predictor(PurchaseModel::ParetoNbd, &log);
    let spend = gamma_gamma::fit(&log.spends()).params;
    let (mut purchases, mut money, mut most) = (0.0, 0.0, 0.0_f64);
    for customer in log.customers.values() {
        let endless = predictor
            .discounted_purchases_endless(customer.history, annual(0.0027))
            .expect("Pareto/NBD");
        let value = endless * gamma_gamma::expected_spend(&spend, customer.history.x, customer.mean_spend).expect("q is above 1");
        purchases += endless;
        money += value;
        most = most.max(value);
    }
    assert_close("purchases", purchases, 7_185.972_2, 1e-6);
    assert_close("money", money, 260_821.14, 1e-6);
    assert_close("the best customer", most, 4_324.04, 1e-5);
}
