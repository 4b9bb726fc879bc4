//! Aggregates that SQL lacks for judging models and cutting segments: exact quantiles, area under the ROC curve, Gini.

mod auc;
mod gini;
mod quantiles;

use datafusion::prelude::SessionContext;

use super::FunctionDoc;

/// What users have to know of them.
pub(super) fn docs() -> [FunctionDoc; 3] {
    [auc::FUNCTION.doc, gini::FUNCTION.doc, quantiles::FUNCTION.doc]
}

pub(super) fn register(session: &SessionContext) {
    session.register_udaf(auc::FUNCTION.registered());
    session.register_udaf(gini::FUNCTION.registered());
    session.register_udaf(quantiles::FUNCTION.registered());
}
