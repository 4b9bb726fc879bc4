//! Customer lifetime models in SQL: aggregates that fit one to purchase histories, scalars that predict from its parameters.
//!
//! The numerics are those of [`crate::clv`]. Parameters travel as JSON text with names, so that they fit a flat table; a fit of many
//! customers and their predictions are two queries with a table between them.

mod fit;
mod parameters;
mod predict;
mod purchases;
mod spend;
mod subscription;

use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;

use super::FunctionDoc;
use predict::{Pool, Prediction};

static PREDICTIONS: [&Prediction; 12] = [
    &purchases::P_ALIVE,
    &purchases::P_NO_PURCHASE,
    &purchases::EXPECTED_PURCHASES,
    &purchases::EXPECTED_PURCHASES_NEW,
    &purchases::DISCOUNTED_PURCHASES,
    &purchases::DISCOUNTED_PURCHASES_SE,
    &purchases::DISCOUNTED_PURCHASES_RESIDUAL,
    &purchases::LOG_LIKELIHOOD,
    &spend::EXPECTED_SPEND,
    &spend::EXPECTED_SPEND_SE,
    &subscription::SURVIVAL,
    &subscription::RETENTION,
];

/// What users have to know of them.
pub(super) fn docs() -> Vec<FunctionDoc> {
    let fits = [purchases::FIT.doc, spend::FIT.doc, subscription::FIT.doc];
    fits.into_iter().chain(PREDICTIONS.iter().map(|function| function.doc)).collect()
}

pub(super) fn register(session: &SessionContext) {
    session.register_udaf(purchases::FIT.registered());
    session.register_udaf(spend::FIT.registered());
    session.register_udaf(subscription::FIT.registered());
    let pool = Pool::default();
    for function in PREDICTIONS {
        session.register_udf(ScalarUDF::new_from_impl(predict::Registered::new(function, &pool)));
    }
}
