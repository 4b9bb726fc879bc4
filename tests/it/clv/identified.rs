//! Whether a fit admits what it cannot know: nobody who stops, too few customers, nothing at all.

use stammkunde::clv::{CUSTOMERS_WITH_REPEAT_MIN, FitStatus, Histories, History, PurchaseModel, fit};

use super::support::{Chance, histories};

const WITH_DROPOUT: [PurchaseModel; 3] = [PurchaseModel::BgNbd, PurchaseModel::MbgNbd, PurchaseModel::ParetoNbd];

/// Customers who never stop.
fn faithful(customers: usize) -> Histories {
    let mut chance = Chance(3);
    histories((0..customers).map(|index| {
        let age = 300.0 + (index % 200) as f64;
        let gap = 7.0 * 10.0 / chance.gamma(0.8);
        let (mut now, mut x, mut last) = (0.0, 0, 0);
        loop {
            now += gap * chance.exponential();
            if now > age {
                break;
            }
            let day = now.ceil() as u32;
            if day > last && f64::from(day) <= age {
                (x, last) = (x + 1, day);
            }
        }
        History {
            x,
            recency: last,
            age: age as u32,
        }
    }))
}

#[test]
fn customers_who_never_stop_identify_no_dropout() {
    let histories = faithful(2_000);
    assert_eq!(fit(PurchaseModel::Nbd, &histories).status, FitStatus::Ok);
    for model in WITH_DROPOUT {
        let fit = fit(model, &histories);
        assert_eq!(fit.status, FitStatus::NoDropoutIdentified, "{fit:?}");
        assert!(fit.params.iter().all(|value| value.is_finite() && *value > 0.0), "{fit:?}");
    }
}

#[test]
fn fewer_customers_with_a_repeat_purchase_than_needed_are_too_few() {
    let with = |repeaters: u64| {
        let mut histories = Histories::default();
        for history in faithful(400).sorted() {
            let left = repeaters.saturating_sub(histories.sorted().iter().filter(|group| group.0.x > 0).map(|group| group.1).sum());
            histories.add(history.0, if history.0.x == 0 { history.1 } else { left.min(history.1) });
        }
        fit(PurchaseModel::Nbd, &histories)
    };
    for (repeaters, is_too_few) in [
        (CUSTOMERS_WITH_REPEAT_MIN - 1, true),
        (CUSTOMERS_WITH_REPEAT_MIN, false),
        (CUSTOMERS_WITH_REPEAT_MIN + 1, false),
    ] {
        let fit = with(repeaters);
        assert_eq!(
            (fit.status == FitStatus::TooFewCustomers, fit.params.len()),
            (is_too_few, 2),
            "{fit:?}"
        );
    }
}

#[test]
fn nothing_to_fit_gives_no_parameters() {
    let mut histories = Histories::default();
    for model in PurchaseModel::ALL {
        assert!(fit(model, &histories).params.is_empty());
    }
    for age in [0, 100, 200] {
        histories.add(History { x: 0, recency: 0, age }, 500);
    }
    for model in PurchaseModel::ALL {
        let fit = fit(model, &histories);
        assert_eq!(
            (fit.params.len(), fit.n, fit.status),
            (0, 1_500, FitStatus::TooFewCustomers),
            "{fit:?}"
        );
    }
}

#[test]
fn histories_that_cannot_be_are_fitted_without_harm() {
    let mut histories = Histories::default();
    for (x, recency, age) in [
        (3, 900, 100),
        (0, 50, 100),
        (5, 0, 0),
        (4_000_000_000, 1, 1),
        (1, 4_000_000_000, 4_000_000_000),
    ] {
        histories.add(History { x, recency, age }, 50);
    }
    histories.add(History { x: 1, recency: 1, age: 1 }, 0);
    assert_eq!(histories.customers(), 250);
    for model in PurchaseModel::ALL {
        let fit = fit(model, &histories);
        let numbers = [fit.log_likelihood, fit.gradient_max];
        let all = fit.params.iter().chain(&fit.standard_errors).chain(&fit.covariance).chain(&numbers);
        assert!(all.into_iter().all(|value| value.is_finite()), "{fit:?}");
    }
}

/// Customers who buy by the calendar, like all others: r and alpha run off together, and their ratio is what is known.
#[test]
fn customers_who_hardly_differ_come_to_rest_at_the_end_of_the_range() {
    let mut chance = Chance(8);
    let all = histories((0..1_500).map(|_| {
        let (mut now, mut x, mut last) = (0.0, 0, 0);
        loop {
            now += 40.0 * chance.exponential();
            let day = now.ceil() as u32;
            if day > 365 {
                break;
            }
            (x, last) = (x + u32::from(day > last), day);
            if chance.uniform() < 0.15 {
                break;
            }
        }
        History {
            x,
            recency: last,
            age: 365,
        }
    }));
    for model in WITH_DROPOUT {
        let fit = fit(model, &all);
        assert!(
            fit.converged && matches!(fit.status, FitStatus::Ok | FitStatus::Boundary),
            "{fit:?}"
        );
    }
    let boundary = fit(PurchaseModel::BgNbd, &all);
    assert_eq!(boundary.status, FitStatus::Boundary, "{boundary:?}");
    let [r, alpha, a, b] = boundary.params[..] else {
        panic!("four parameters")
    };
    assert!((7.0 * alpha / r / 40.0 - 1.0).abs() < 0.1, "{boundary:?}");
    assert!((a / (a + b) / 0.15 - 1.0).abs() < 0.1, "{boundary:?}");
}
