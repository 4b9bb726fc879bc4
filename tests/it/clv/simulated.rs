//! Simulated customers who live as the models say: predictions are compared with what they do next.

use stammkunde::clv::{FitStatus, History, Predictor, PurchaseModel, fit};

use super::support::{Chance, assert_all_close, histories};

const CUSTOMERS: usize = 40_000;
/// So many days that rounding a time to a day does not matter.
const AGE: f64 = 14_000.0;
const HORIZON: f64 = 10_000.0;

/// A customer: history, and purchases in the time after.
fn live(chance: &mut Chance, model: PurchaseModel, [r, alpha, a, b]: [f64; 4]) -> (History, u32) {
    let rate = chance.gamma(r) / (alpha * 7.0);
    let p = chance.beta(a, b);
    let (mut now, mut x, mut last, mut later) = (0.0, 0, 0.0, 0);
    let mut alive = model == PurchaseModel::BgNbd || chance.uniform() >= p;
    while alive {
        now += chance.exponential() / rate;
        if now > AGE + HORIZON {
            break;
        }
        if now > AGE {
            later += 1;
        } else {
            x += 1;
            last = now;
        }
        alive = chance.uniform() >= p;
    }
    let history = History {
        x,
        recency: last.round() as u32,
        age: AGE as u32,
    };
    (history, later)
}

#[test]
fn silence_and_purchases_of_simulated_customers_are_as_predicted() {
    // The time scale is stretched so that a day is short.
    let params = [0.6, 600.0, 0.8, 2.5];
    for model in [PurchaseModel::BgNbd, PurchaseModel::MbgNbd] {
        let mut predictor = Predictor::new(model, &params).expect("parameters");
        let mut chance = Chance(20_261_122);
        // By repeat purchases 0, 1, 2 and more: customers, and sums of what was predicted and what came.
        let mut groups = [(0.0, [0.0; 2], [0.0; 2]); 4];
        for _ in 0..CUSTOMERS {
            let (history, later) = live(&mut chance, model, params);
            let group = &mut groups[history.x.min(3) as usize];
            group.0 += 1.0;
            group.1[0] += predictor.p_no_purchase(history, HORIZON);
            group.1[1] += f64::from(u8::from(later == 0));
            group.2[0] += predictor.expected_purchases(history, HORIZON);
            group.2[1] += f64::from(later);
        }
        for (count, [predicted, silent], [expected, bought]) in groups {
            assert!(count > 1_000.0);
            let error = (predicted * (1.0 - predicted / count)).sqrt();
            assert!(
                (predicted - silent).abs() < 3.5 * error,
                "{} {count} {predicted} {silent}",
                model.name()
            );
            // A sum of counts scatters a few times as much as a Poisson sum.
            assert!(
                (expected - bought).abs() < 12.0 * expected.sqrt(),
                "{} {count} {expected} {bought}",
                model.name()
            );
        }
    }
}

#[test]
fn simulated_customers_give_back_their_parameters() {
    let params = [0.6, 600.0, 0.8, 2.5];
    for model in [PurchaseModel::BgNbd, PurchaseModel::MbgNbd] {
        let mut chance = Chance(7);
        let all = histories((0..20_000).map(|_| live(&mut chance, model, params).0));
        let fit = fit(model, &all);
        assert_eq!(fit.status, FitStatus::Ok, "{fit:?}");
        assert!(fit.gradient_max < 1e-8, "{fit:?}");
        for ((found, error), truth) in fit.params.iter().zip(&fit.standard_errors).zip(params) {
            assert!((found - truth).abs() < 4.0 * error, "{fit:?}");
        }
        assert_all_close(model.name(), &fit.params, &params, 0.25);
    }
}
