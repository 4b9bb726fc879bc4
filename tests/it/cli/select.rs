//! Building some models only: the others stay as they were published.

use super::support::Project;

fn changed() -> Project {
    let project = Project::small();
    project.run(&[]);
    // An order more, so that every model would change.
    project.append("exports/shop.csv", &format!("S-999,{},,,2026-09-01,99.50", super::support::mail(0)));
    project
}

#[test]
fn a_selected_model_is_built_and_the_others_are_carried_over() {
    let project = changed();
    let before = project.hashes();
    project.run(&["--select", "order_counts"]);
    let after = project.hashes();
    assert_ne!(after["order_counts"], before["order_counts"]);
    assert_eq!(after["regulars"], before["regulars"]);
    assert_ne!(after["orders"], before["orders"]);
    for name in after.keys() {
        assert!(
            project.file(&format!("warehouse/latest/{name}.parquet")).is_file(),
            "latest/ lacks {name}"
        );
    }
}

#[test]
fn a_selected_model_reads_what_is_left_out_from_the_last_version() {
    let project = changed();
    let before = project.hashes();
    project.run(&["--select", "regulars"]);
    let after = project.hashes();
    assert_eq!(after["order_counts"], before["order_counts"]);
    assert_eq!(
        after["regulars"], before["regulars"],
        "it was built from orders that order_counts does not know yet"
    );
    let fresh = Project::small();
    fresh.call("run", &["--select", "regulars"]).ends_with(2).says("select `+regulars`");
    assert!(fresh.manifests().is_empty());
    fresh.run(&["--select", "+regulars"]);
    assert_eq!(fresh.table("regulars").len(), 8);
}

#[test]
fn an_excluded_model_keeps_its_last_version() {
    let project = changed();
    let before = project.hashes();
    project.run(&["--exclude", "regulars"]);
    let after = project.hashes();
    assert_eq!(after["regulars"], before["regulars"]);
    assert_ne!(after["order_counts"], before["order_counts"]);
}

#[test]
fn a_whole_run_after_a_partial_one_builds_what_was_left_out() {
    let project = changed();
    project.run(&["--select", "order_counts"]);
    assert_eq!(project.run(&["--select", "order_counts"])["outcome"], "unchanged");
    let whole = project.run(&[]);
    assert_eq!(whole["outcome"], "published", "the models left out are those of older inputs");
    let reference = changed();
    reference.run(&[]);
    assert_eq!(project.hashes()["regulars"], reference.hashes()["regulars"]);
}

#[test]
fn an_unknown_selector_ends_with_2_and_a_suggestion() {
    let project = Project::small();
    project
        .call("run", &["--select", "regulrs"])
        .ends_with(2)
        .says("no model is called `regulrs`")
        .says("did you mean `regulars`");
    project
        .call("run", &["--exclude", "+nothing_like_it"])
        .ends_with(2)
        .says("order_counts, regulars");
}
