//! A review as a file of decisions: a person writes a word into the first column, and puts the file into `decisions/`.

use super::{ReviewKind, ReviewPair, ReviewReport};
use crate::explain::SHOWN;
use crate::table::column::{
    DECIDED_AT, DECIDED_BY, DECISION, LEFT_RECORD_ID, LEFT_SOURCE, MATCH_PROBABILITY, MATCH_WEIGHT, REASON, RIGHT_RECORD_ID, RIGHT_SOURCE,
    RULE,
};
use crate::text::spreadsheet;

/// The pairs as CSV. The first eight columns are those of a file of decisions, the decision empty; those that follow are for whoever decides,
/// and are ignored when the file is read. Texts are guarded against being run as formulas.
#[must_use]
pub fn csv(report: &ReviewReport) -> String {
    let mut header: Vec<String> = [
        DECISION,
        LEFT_SOURCE,
        LEFT_RECORD_ID,
        RIGHT_SOURCE,
        RIGHT_RECORD_ID,
        DECIDED_BY,
        DECIDED_AT,
        REASON,
        "kind",
        "score",
        MATCH_PROBABILITY,
        MATCH_WEIGHT,
        RULE,
        "refused_because",
        "left_customer_key",
        "right_customer_key",
        "left_records",
        "right_records",
        "revenue",
    ]
    .map(str::to_owned)
    .into();
    header.extend(SHOWN.iter().flat_map(|name| [format!("left_{name}"), format!("right_{name}")]));
    let mut text = line(&header);
    for pair in &report.pairs {
        text += &line(&row(pair));
    }
    text
}

fn row(pair: &ReviewPair) -> Vec<String> {
    let (left, right) = (&pair.left, &pair.right);
    let kind = if pair.kind == ReviewKind::Bridge { "bridge" } else { "near" };
    let mut cells: Vec<String> = vec![String::new()];
    cells.extend([&left.source, &left.record_id, &right.source, &right.record_id].map(String::clone));
    cells.extend(["", "", "", kind].map(str::to_owned));
    cells.extend([
        format!("{:.6}", pair.score),
        format!("{:.6}", pair.match_probability),
        format!("{:.3}", pair.match_weight),
        pair.rule.clone(),
        pair.refused_because.clone().unwrap_or_default(),
        left.customer_key.clone(),
        right.customer_key.clone(),
        left.records.to_string(),
        right.records.to_string(),
        format!("{:.2}", pair.revenue),
    ]);
    for name in SHOWN {
        let value = |values: &serde_json::Map<String, serde_json::Value>| {
            let text = values.get(name).and_then(serde_json::Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        cells.extend([value(&left.values), value(&right.values)]);
    }
    cells
}

fn line(cells: &[String]) -> String {
    spreadsheet::row(cells.iter().map(String::as_str))
}
