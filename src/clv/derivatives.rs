//! Checks the slopes that every fit climbs by: first derivatives against differences of the value, second against differences of the first.

use super::bg::{self, FirstChance};
use super::bg_bb::{self, Donors};
use super::optimize::Evaluation;
use super::rows::Rows;
use super::{History, nbd, pareto};

/// Histories of all kinds: none, one at once, one long ago, many, up to the last day.
fn groups() -> Vec<(History, u64)> {
    let history = |x, recency, age| History { x, recency, age };
    vec![
        (history(0, 0, 0), 1),
        (history(0, 0, 200), 7),
        (history(0, 0, 272), 3),
        (history(1, 3, 270), 2),
        (history(1, 268, 270), 1),
        (history(3, 100, 190), 5),
        (history(7, 190, 190), 1),
        (history(29, 201, 400), 2),
        (history(400, 1100, 1200), 1),
    ]
}

fn check<const N: usize>(what: &str, params: [f64; N], evaluate: impl Fn(&[f64; N]) -> Evaluation<N>) {
    let here = evaluate(&params);
    for index in 0..N {
        let step = 1e-5;
        let beside = |sign: f64| {
            let mut beside = params;
            beside[index] *= (sign * step).exp();
            evaluate(&beside)
        };
        let (above, below) = (beside(1.0), beside(-1.0));
        let slope = (above.value - below.value) / (2.0 * step);
        let scale = here.gradient.iter().fold(1.0, |scale: f64, value| scale.max(value.abs()));
        assert!(
            (slope - here.gradient[index]).abs() < 1e-6 * scale,
            "{what} {params:?} {index}: {slope} {}",
            here.gradient[index]
        );
        for other in 0..N {
            let slope = (above.gradient[other] - below.gradient[other]) / (2.0 * step);
            let found = here.hessian[index][other];
            let scale = here.hessian.iter().flatten().fold(1.0, |scale: f64, value| scale.max(value.abs()));
            assert!(
                (slope - found).abs() < 1e-6 * scale,
                "{what} {params:?} {index} {other}: {slope} {found}"
            );
        }
    }
}

#[test]
fn slopes_of_the_models_in_weeks_are_those_of_their_likelihoods() {
    let rows = Rows::new(&groups());
    for params in [[0.25, 4.4, 0.8, 2.4], [1.7, 50.0, 3.0, 0.4], [0.05, 0.6, 0.1, 30.0]] {
        check("nbd", [params[0], params[1]], |params| nbd::evaluate(&rows, params));
        check("bg_nbd", params, |params| bg::evaluate(&rows, FirstChance::Repeat, params));
        check("mbg_nbd", params, |params| bg::evaluate(&rows, FirstChance::First, params));
        check("pareto_nbd", params, |params| pareto::evaluate(&rows, params));
    }
    for params in [[0.6, 10.6, 0.6, 11.7], [0.5, 12.0, 2.0, 12.0], [1.0, 200.0, 0.3, 2.0]] {
        check("pareto_nbd", params, |params| pareto::evaluate(&rows, params));
    }
}

#[test]
fn slopes_of_the_model_of_opportunities_are_those_of_its_likelihood() {
    let history = |x, recency, age| (History { x, recency, age }, 2);
    let donors = Donors::new(&[
        history(0, 0, 6),
        history(1, 1, 6),
        history(3, 5, 9),
        history(6, 6, 6),
        history(0, 0, 0),
    ]);
    for params in [[1.2, 0.75, 0.66, 2.8], [0.1, 3.0, 5.0, 0.2]] {
        check("bg_bb", params, |params| bg_bb::evaluate(&donors, params));
        check("beta-Bernoulli", [params[0], params[1]], |params| {
            bg_bb::evaluate_without_dropout(&donors, params)
        });
    }
}

#[test]
fn a_sum_over_rows_is_the_sum_of_the_likelihoods_of_its_customers() {
    let rows = Rows::new(&groups());
    let params = [0.25, 4.4, 0.8, 2.4];
    let sum = |one: &dyn Fn(f64, f64, f64) -> f64| -> f64 {
        let week = |days: u32| f64::from(days) / 7.0;
        let each =
            |(history, weight): &(History, u64)| *weight as f64 * one(f64::from(history.x), week(history.recency), week(history.age));
        groups().iter().map(each).sum()
    };
    for first in [FirstChance::Repeat, FirstChance::First] {
        let expected = sum(&|x, last, age| bg::log_likelihood(first, &params, x, last, age));
        assert!((bg::evaluate(&rows, first, &params).value - expected).abs() < 1e-10 * expected.abs());
    }
    let expected = sum(&|x, last, age| pareto::log_likelihood(&params, x, last, age));
    assert!((pareto::evaluate(&rows, &params).value - expected).abs() < 1e-10 * expected.abs());
}

#[test]
fn cells_keep_customers_purchases_and_ages() {
    let groups: Vec<(History, u64)> = (0..3_000_u32)
        .map(|index| {
            let (x, age) = (index / 100, 900 + index % 100);
            let recency = if x == 0 { 0 } else { age - 5 * (index % 7) };
            (History { x, recency, age }, u64::from(1 + index % 3))
        })
        .collect();
    let (rows, cells) = (Rows::new(&groups), Rows::cells(&groups));
    assert!(cells.rows.len() < rows.rows.len() / 3, "{}", cells.rows.len());
    assert_eq!((rows.customers, rows.purchases()), (cells.customers, cells.purchases()));
    assert!((rows.age_mean() / cells.age_mean() - 1.0).abs() < 1e-12);
}
