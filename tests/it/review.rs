//! A review as CSV: columns of a file of decisions, values that no spreadsheet runs.

use serde_json::json;
use stammkunde::review::{ReviewKind, ReviewPair, ReviewReport, ReviewSide, csv};
use stammkunde::table::VersionNumber;

fn side(record_id: &str, given_name: &str) -> ReviewSide {
    ReviewSide {
        source: "crm".to_owned(),
        record_id: record_id.to_owned(),
        customer_key: "k".to_owned(),
        records: 2,
        values: json!({"given_name": given_name}).as_object().expect("an object").clone(),
    }
}

fn report(left: ReviewSide, right: ReviewSide) -> ReviewReport {
    ReviewReport {
        version: VersionNumber(1),
        kind: ReviewKind::All,
        pairs: vec![ReviewPair {
            kind: ReviewKind::Near,
            score: 0.5,
            match_probability: 0.25,
            match_weight: -1.5,
            rule: "city".to_owned(),
            refused_because: Some("below_threshold".to_owned()),
            revenue: 10.0,
            left,
            right,
        }],
        left_out_personal: 0,
        left_out_decided: 0,
    }
}

#[test]
fn texts_are_guarded_and_quoted_and_numbers_are_numbers() {
    for value in ["=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(A1)", "\tx", "\rx"] {
        let text = csv(&report(side("C-1", value), side(value, "Ada")));
        let guarded = format!("'{}", value.replace('"', "\"\""));
        assert_eq!(text.matches(&guarded).count(), 2, "{text}");
        let unguarded = [format!(",{value},"), format!(",\"{value}\",")];
        assert!(unguarded.iter().all(|cell| !text.contains(cell)), "{text}");
    }
    let text = csv(&report(side("a,b", "O\"Neil; \nJr"), side("C-2", "Ada")));
    assert!(
        text.contains(",crm,\"a,b\",crm,C-2,,,,near,0.500000,0.250000,-1.500,city,below_threshold,k,k,2,2,10.00,"),
        "{text}"
    );
    assert!(text.contains("\"O\"\"Neil; \nJr\",Ada,"), "{text}");
}
