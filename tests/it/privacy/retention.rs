//! Retention: what is older on the as-of day is not published, and no model reads it.

use super::world::{project, traces_of_newest};
use crate::cli::support::Project;

fn ids(project: &Project, table: &str, column: &str) -> Vec<String> {
    let mut ids: Vec<String> = project.table(table).into_iter().map(|row| row[column].clone()).collect();
    ids.sort();
    ids
}

#[test]
fn old_rows_are_in_no_table_and_in_no_metric() {
    let project = project();
    project.edit(
        "pipeline.yaml",
        "trust:",
        "retention:\n  tables: {orders: 152d, events: 180d}\ntrust:",
    );
    let report = project.run(&["--as-of", "2026-10-31"]);
    assert_eq!(report["expired"]["events"], 2, "{}", report["expired"]);
    let events = ids(&project, "events", "event_id");
    assert_eq!(events, ["E-000-1", "E-001-1", "E-900-3", "E-902-1"], "from 4 May on");
    let orders = project.table("orders");
    assert!(
        !orders.is_empty() && orders.iter().all(|row| row["ordered_at"].as_str() >= "2026-05-31T22:00:00"),
        "{orders:?}"
    );
    let counted: usize = project
        .table("order_counts")
        .iter()
        .map(|row| row["orders_count"].parse::<usize>().expect("a count"))
        .sum();
    assert_eq!(counted, orders.iter().filter(|row| row.contains_key("customer_key")).count());
    let next = project.run(&["--as-of", "2026-11-01"]);
    assert_eq!(next["expired"]["events"], 3, "a day later one more");
    assert_eq!(project.run(&["--as-of", "2026-11-01"])["outcome"], "unchanged");
}

#[test]
fn the_content_of_rejects_goes_after_thirty_days_and_the_place_stays() {
    let project = project();
    project.run(&["--as-of", "2026-10-01"]);
    let reject = |project: &Project| {
        project
            .table("rejects")
            .into_iter()
            .find(|row| row["reason"] == "ragged_row")
            .expect("a reject")
    };
    assert!(reject(&project)["content"].contains("C-903"));
    project.run(&["--as-of", "2026-10-31"]);
    assert!(reject(&project)["content"].contains("C-903"), "30 days are not over");
    let report = project.run(&["--as-of", "2026-11-01"]);
    assert_eq!(report["expired"], serde_json::json!({"rejects": 1}));
    let left = reject(&project);
    assert!(
        !left.contains_key("content") && left["file"].contains("crm.csv") && left.contains_key("line"),
        "{left:?}"
    );
    assert!(traces_of_newest(&project, &["c-903"]).is_empty());
    project.append("exports/crm.csv", &crate::cli::support::crm_row(30));
    project.run(&["--as-of", "2026-11-01"]);
    assert!(reject(&project)["content"].contains("C-903"), "a file with new content is new");
    project.edit("pipeline.yaml", "trust:", "retention:\n  tables: {rejects: 0d}\ntrust:");
    project.run(&["--as-of", "2026-11-02"]);
    assert!(!reject(&project).contains_key("content"));
}
