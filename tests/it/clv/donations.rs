//! BG/BB on the donations of a public radio station (Fader, Hardie and Shang 2010): 11,104 donors, 6 years.

use stammkunde::clv::{FitStatus, Histories, History, Predictor, PurchaseModel, fit};

use super::support::{assert_all_close, assert_close, shared};

const PARAMS: [f64; 4] = [1.203_522_4, 0.749_716_4, 0.656_718_2, 2.783_442_2];

fn donor(x: u32, recency: u32) -> History {
    History { x, recency, age: 6 }
}

#[test]
fn donors_have_the_published_parameters() {
    let Some(path) = shared("donations_bgbb.csv") else { return };
    let text = std::fs::read_to_string(path).expect("the file is readable");
    let mut histories = Histories::default();
    for line in text.lines().skip(1) {
        let fields: Vec<u32> = line.split(',').map(|field| field.parse().expect("a number")).collect();
        let &[x, recency, age, weight] = fields.as_slice() else {
            panic!("four columns")
        };
        histories.add(History { x, recency, age }, u64::from(weight));
    }
    assert_eq!(histories.customers(), 11_104);
    let fit = fit(PurchaseModel::BgBb, &histories);
    assert_eq!(fit.status, FitStatus::Ok, "{fit:?}");
    assert!(fit.gradient_max < 1e-8, "{fit:?}");
    assert_all_close("donations", &fit.params, &PARAMS, 1e-6);
    assert_close("donations", fit.log_likelihood, -33_225.581_274, 1e-10);
    assert_eq!((fit.standard_errors.len(), fit.covariance.len()), (4, 16));
}

#[test]
fn donors_are_predicted_as_published() {
    let mut predictor = Predictor::new(PurchaseModel::BgBb, &PARAMS).expect("parameters");
    assert_close("new donor", predictor.expected_purchases_new(10.0), 3.179_829, 1e-6);
    for (history, horizon, expected) in [
        (donor(0, 0), 10.0, 0.130_218),
        (donor(4, 5), 10.0, 3.627_968),
        (donor(6, 6), 5.0, 3.752_544),
        (donor(0, 0), 5.0, 0.072_863),
        (donor(1, 1), 5.0, 0.085_696),
    ] {
        assert_close("donations", predictor.expected_purchases(history, horizon), expected, 1e-5);
    }
    for (history, expected) in [(donor(0, 0), 0.108_133), (donor(4, 5), 0.696_800), (donor(6, 6), 0.930_434)] {
        assert_close("alive in year 7", predictor.p_alive(history), expected, 1e-5);
    }
}

#[test]
fn silence_of_donors_is_the_ratio_of_likelihoods() {
    let mut predictor = Predictor::new(PurchaseModel::BgBb, &PARAMS).expect("parameters");
    for history in [donor(0, 0), donor(1, 1), donor(4, 5), donor(6, 6)] {
        for horizon in [1, 4, 30] {
            let later = History {
                age: history.age + horizon,
                ..history
            };
            let expected = (predictor.log_likelihood(later) - predictor.log_likelihood(history)).exp();
            assert_close("silence", predictor.p_no_purchase(history, f64::from(horizon)), expected, 1e-10);
        }
    }
}

#[test]
fn discounting_by_opportunity_weighs_later_gifts_less() {
    let mut predictor = Predictor::new(PurchaseModel::BgBb, &PARAMS).expect("parameters");
    let history = donor(4, 5);
    let mut by_hand = 0.0;
    for horizon in 1..=10 {
        let (until, before) = (f64::from(horizon), f64::from(horizon - 1));
        let gift = predictor.expected_purchases(history, until) - predictor.expected_purchases(history, before);
        by_hand += gift / 1.1_f64.powi(horizon);
    }
    assert_close("discounted", predictor.discounted_purchases(history, 10.0, 0.1), by_hand, 1e-10);
}

#[test]
fn donors_who_never_stop_identify_no_dropout() {
    let mut histories = Histories::default();
    // All sequences of 6 years; chances to give are beta-distributed.
    let (alpha, beta) = (1.5, 2.0);
    for years in 0_u32..64 {
        let x = years.count_ones();
        let recency = 32 - years.leading_zeros();
        let rising = |z: f64, steps: u32| (0..steps).map(|step| z + f64::from(step)).product::<f64>();
        let share = rising(alpha, x) * rising(beta, 6 - x) / rising(alpha + beta, 6);
        histories.add(donor(x, recency), (20_000.0 * share).round() as u64);
    }
    let fit = fit(PurchaseModel::BgBb, &histories);
    assert_eq!(fit.status, FitStatus::NoDropoutIdentified, "{fit:?}");
    assert!(fit.params.iter().all(|value| value.is_finite() && *value > 0.0), "{fit:?}");
}
