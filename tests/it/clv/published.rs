//! Published numbers that need no data: predictions for single customers, and where other implementations overflow.

use stammkunde::clv::{History, Predictor, PurchaseModel};

use super::support::{annual, assert_close};

const BG: [f64; 4] = [0.242_594_5, 4.413_602_0, 0.792_922_0, 2.425_906_8];
const MBG: [f64; 4] = [0.524_843_2, 6.183_085_3, 0.891_359_4, 1.614_002_2];
const PARETO: [f64; 4] = [0.553_277_0, 10.577_683_5, 0.606_240_0, 11.668_735_3];

fn predictor(model: PurchaseModel, params: [f64; 4]) -> Predictor {
    Predictor::new(model, &params).expect("parameters")
}

/// What the models say of a customer of the CDNOW sample: alive, purchases in 39 weeks, silent for 39 weeks.
struct Expected {
    history: (u32, u32, u32),
    bg: [f64; 3],
    mbg: [f64; 3],
    pareto: [f64; 3],
    endless: f64,
}

const CUSTOMERS: [Expected; 6] = [
    Expected {
        history: (2, 213, 272),
        bg: [0.726_620_31, 1.225_994_46, 0.445_372],
        mbg: [0.706_138_48, 1.262_758_85, 0.440_060],
        pareto: [0.869_134_26, 1.455_201_70, 0.408_074],
        endless: 6.482_402_58,
    },
    Expected {
        history: (1, 12, 272),
        bg: [0.212_391_04, 0.203_418_85, 0.883_194],
        mbg: [0.170_951_08, 0.188_944_90, 0.895_090],
        pareto: [0.167_996_06, 0.171_114_34, 0.913_355],
        endless: 0.762_253_10,
    },
    Expected {
        history: (0, 0, 272),
        bg: [1.0, 0.194_793_63, 0.855_665],
        mbg: [0.389_722_98, 0.153_966_02, 0.891_197],
        pareto: [0.295_112_57, 0.107_070_23, 0.930_728],
        endless: 0.476_959_55,
    },
    Expected {
        history: (7, 206, 272),
        bg: [0.641_834_71, 3.337_571_36, 0.364_280],
        mbg: [0.622_679_90, 3.167_169_54, 0.383_020],
        pareto: [0.749_452_91, 3.712_087_00, 0.311_304],
        endless: 16.536_018_54,
    },
    Expected {
        history: (29, 264, 266),
        bg: [0.969_221_27, 20.055_249_27, 0.030_779],
        mbg: [0.965_938_08, 18.951_872_07, 0.034_062],
        pareto: [0.996_186_94, 19.595_849_25, 0.023_420],
        endless: 86.930_157_93,
    },
    Expected {
        history: (26, 216, 217),
        bg: [0.968_854_44, 20.748_902_90, 0.031_146],
        mbg: [0.965_484_65, 19.446_608_00, 0.034_515],
        pareto: [0.997_873_40, 20.114_820_88, 0.023_863],
        endless: 86.024_367_42,
    },
];

#[test]
fn customers_of_the_cdnow_sample_are_scored_as_in_the_reference() {
    for customer in &CUSTOMERS {
        let (x, recency, age) = customer.history;
        let history = History { x, recency, age };
        for (model, params, [alive, purchases, silent]) in [
            (PurchaseModel::BgNbd, BG, customer.bg),
            (PurchaseModel::MbgNbd, MBG, customer.mbg),
            (PurchaseModel::ParetoNbd, PARETO, customer.pareto),
        ] {
            let mut predictor = predictor(model, params);
            assert_close(model.name(), predictor.p_alive(history), alive, 1e-6);
            assert_close(model.name(), predictor.expected_purchases(history, 273.0), purchases, 1e-6);
            let found = predictor.p_no_purchase(history, 273.0);
            assert!((found - silent).abs() < 1e-6, "{} {found} {silent}", model.name());
        }
        let endless = predictor(PurchaseModel::ParetoNbd, PARETO).discounted_purchases_endless(history, annual(0.0027));
        assert_close("dert", endless.expect("Pareto/NBD"), customer.endless, 1e-6);
    }
}

#[test]
fn new_customers_buy_as_often_as_in_the_reference() {
    for (model, params, expected) in [
        (PurchaseModel::BgNbd, BG, 1.444_012_4),
        (PurchaseModel::MbgNbd, MBG, 1.418_884_9),
        (PurchaseModel::ParetoNbd, PARETO, 1.473_434_3),
    ] {
        let found = predictor(model, params).expected_purchases_new(364.0);
        assert_close(model.name(), found, expected, 1e-6);
    }
}

/// The walkthrough of BTYD, whose optimizer stops a little beside the maximum.
#[test]
fn the_walkthrough_of_btyd_is_reproduced() {
    let best = History {
        x: 26,
        recency: 216,
        age: 217,
    };
    for (model, params, expected_best, expected) in [
        (
            PurchaseModel::ParetoNbd,
            PARETO,
            25.456_47,
            [0.706_228_9, 0.144_239_6, 0.022_506_58, 0.003_092_67],
        ),
        (
            PurchaseModel::BgNbd,
            BG,
            25.756_59,
            [0.347_460_6, 0.042_833_91, 0.004_158_973, 0.000_358_368_5],
        ),
    ] {
        let mut predictor = predictor(model, params);
        assert_close(model.name(), predictor.expected_purchases(best, 364.0), expected_best, 1e-3);
        for (x, expected) in [10, 15, 20, 25].into_iter().zip(expected) {
            let history = History { x, recency: 140, age: 273 };
            assert_close(model.name(), predictor.expected_purchases(history, 364.0), expected, 1e-3);
        }
    }
}

/// Recency 35 and 30 weeks, age 77.86 weeks; the reference rounds the age to the hundredth of a week.
#[test]
fn endless_values_with_the_parameters_of_btyd_are_reproduced() {
    let mut predictor = predictor(PurchaseModel::ParetoNbd, [0.562_996_6, 12.559_037_0, 0.408_109_5, 10.514_804_8]);
    let mut endless = |x: u32, weeks: u32| {
        let history = History {
            x,
            recency: weeks * 7,
            age: 545,
        };
        predictor.discounted_purchases_endless(history, annual(0.0027)).expect("Pareto/NBD")
    };
    assert_close("x 7", endless(7, 35), 1.864_183_328, 1e-3);
    let expected = [
        2.199_155, 2.843_534, 2.867_128, 2.445_410, 1.840_502, 1.262_416, 0.809_618, 0.494_804, 0.292_025, 0.167_928,
    ];
    for (x, expected) in (1..).zip(expected) {
        assert_close("x from 1", endless(x, 30), expected, 1e-3);
    }
}

#[test]
fn likelihoods_of_heavy_buyers_do_not_overflow() {
    let predictor_bg = predictor(PurchaseModel::BgNbd, [0.25, 4.0, 0.8, 2.5]);
    let log_likelihood = |x, recency| predictor_bg.log_likelihood(History { x, recency, age: 280 });
    assert_close("nobody back", log_likelihood(0, 0), -0.599_473_82, 1e-8);
    assert_close("200 times back", log_likelihood(200, 266), 100.795_7, 1e-6);
}

#[test]
fn heavy_buyers_are_alive_where_closed_forms_overflow() {
    let mut predictor = predictor(PurchaseModel::ParetoNbd, [0.5143, 2.8845, 0.2856, 14.1087]);
    for (x, recency, age) in [(221, 724, 725), (254, 680, 681), (161, 663, 686), (204, 690, 696)] {
        let alive = predictor.p_alive(History { x, recency, age });
        assert!(alive > 0.0 && alive < 1.0, "{x} {alive}");
    }
}

#[test]
fn models_have_names_and_named_parameters() {
    for model in PurchaseModel::ALL {
        assert_eq!(PurchaseModel::from_name(model.name()), Some(model));
        let params = vec![1.0; model.param_names().len()];
        assert!(Predictor::new(model, &params).is_some());
        assert!(Predictor::new(model, &params[1..]).is_none(), "one is missing");
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut params = params.clone();
            params[1] = wrong;
            assert!(Predictor::new(model, &params).is_none(), "{wrong}");
        }
    }
    assert_eq!(PurchaseModel::from_name("bg nbd"), None);
}
