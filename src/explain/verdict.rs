//! Together or apart, and why: from what was published about a pair, not from what might have been.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pair::{COARSE, PairExplanation};
use crate::table::{DecisionKind, RefusalReason};

/// Together or apart, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// People decided it, about these records or about others of their customers.
    Decided,
    /// A deterministic rule links them.
    Deterministic,
    /// Their own weight reaches the threshold.
    Matched,
    /// One customer through other records.
    Indirect,
    /// Apart: no blocking rule pairs them, or only in blocks that were too large, so they were never compared.
    NotBlocked,
    /// Apart: their weight is below the threshold.
    BelowThreshold,
    /// Apart: a constraint refused the link.
    Refused,
}

/// What a version says of a pair beside its weight.
#[derive(Debug, Clone, Default)]
pub(super) struct Published {
    /// Rule of the link, if there is one.
    pub(super) link_rule: Option<String>,
    /// Reason of the possible link, if there is one.
    pub(super) refused: Option<String>,
}

/// The verdict and its sentence.
pub(super) fn verdict(pair: &PairExplanation, published: &Published) -> (Verdict, String) {
    let (verdict, because) = if pair.left_customer_key == pair.right_customer_key {
        together(pair, published)
    } else {
        apart(pair, published)
    };
    let side = if pair.left_customer_key == pair.right_customer_key {
        "one customer"
    } else {
        "apart"
    };
    (verdict, format!("{side}: {because}"))
}

fn together(pair: &PairExplanation, published: &Published) -> (Verdict, String) {
    let is_decided = published.link_rule.as_deref() == Some(DecisionKind::MustLink.name());
    match (&pair.decision, &published.link_rule) {
        (Some(decision), _) if is_decided => (Verdict::Decided, format!("people decided it ({decision})")),
        _ if is_decided => (Verdict::Decided, "people decided it".to_owned()),
        _ if !pair.deterministic_rules.is_empty() => {
            let rules = pair.deterministic_rules.join("; ");
            (Verdict::Deterministic, format!("they agree on {rules}"))
        }
        (_, Some(_)) => (Verdict::Matched, "their match weight reaches the threshold".to_owned()),
        (_, None) => (
            Verdict::Indirect,
            "through other records; `explain` the customer to see its links".to_owned(),
        ),
    }
}

fn apart(pair: &PairExplanation, published: &Published) -> (Verdict, String) {
    let is_below = published.refused.as_deref() == Some(RefusalReason::BelowThreshold.name());
    if let Some(reason) = published.refused.as_deref().filter(|_| !is_below) {
        let is_decided = reason == RefusalReason::CannotLink.name();
        let verdict = if is_decided { Verdict::Decided } else { Verdict::Refused };
        return (verdict, refusal(reason, pair.decision.as_deref()));
    }
    if let Some(decision) = &pair.decision {
        return (Verdict::Decided, format!("people decided it ({decision})"));
    }
    if !pair.deterministic_rules.is_empty() {
        let rules = pair.deterministic_rules.join("; ");
        let because = format!("they agree on {rules}, but more records share that value than identity.shared_by_records_max allows");
        return (Verdict::Refused, because);
    }
    let generic = if pair.generic_rules.is_empty() {
        String::new()
    } else {
        let rules = pair.generic_rules.join("; ");
        format!("; they agree on {rules}, but too many people share that value (see generic_values)")
    };
    let (verdict, because) = if pair.blocking_rules.is_empty() {
        (Verdict::NotBlocked, "no blocking rule pairs them, so they were never compared")
    } else if pair.match_weight < pair.threshold_weight {
        (Verdict::BelowThreshold, "their match weight is below the threshold")
    } else if pair.blocking_rules.iter().all(|rule| rule.ends_with(COARSE)) {
        (
            Verdict::NotBlocked,
            "only coarse rules pair them, which leave their large blocks out",
        )
    } else {
        // A pair that was compared and weighs so much is published as a link or as a possible one.
        let because = "the rules pair them in blocks that were too large and were split or left out, so they were never compared";
        (Verdict::NotBlocked, because)
    };
    (verdict, format!("{because}{generic}"))
}

/// The sentence of a constraint.
fn refusal(reason: &str, decision: Option<&str>) -> String {
    let is = |known: RefusalReason| reason == known.name();
    if is(RefusalReason::CannotLink) {
        let place = decision.map_or_else(String::new, |decision| format!(" ({decision})"));
        format!("people decided that their customers are not one{place}")
    } else if is(RefusalReason::SizeMax) {
        "together their customers would have more records than identity.size_max".to_owned()
    } else if is(RefusalReason::OnePerCustomer) {
        "their customers hold two records of a source that has each person once (identity.one_per_customer)".to_owned()
    } else if is(RefusalReason::ExclusiveIdentifier) {
        "their customers hold two values of an identifier that a customer has once (identity.exclusive)".to_owned()
    } else if is(RefusalReason::Cohesion) {
        "too few of the pairs between their two groups are links (identity.cohesion)".to_owned()
    } else {
        format!("a constraint refused the link ({reason})")
    }
}
