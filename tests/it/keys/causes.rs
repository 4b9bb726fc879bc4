//! Every event says why it happened.

use stammkunde::table::keys::KeyCause::{ChangedValues, Decision, NewModel, NewRecords, NewRule, OtherRecords, RemovedRecords};
use stammkunde::table::keys::KeyEventKind::{Created, Merged, RecordsMoved, Resurrected, Retired, Split};

use super::world::{Step, WEIGHTS, first};

const STEP: Step<'_> = Step {
    values: &[],
    pins: &[],
    decided: &[],
    rules: false,
    model: false,
    version: 2,
    weights: &WEIGHTS,
};

#[test]
fn customers_come_with_new_records_and_go_with_their_last_one() {
    let run = first("crm:1 | crm:2");
    assert_eq!(run.causes(), [(Created, NewRecords), (Created, NewRecords)]);
    // A changed rule has no part in either.
    let next = run.then_with("crm:2 | crm:3", &Step { rules: true, ..STEP });
    let mut causes = next.causes();
    causes.sort_unstable();
    assert_eq!(causes, [(Created, NewRecords), (Retired, RemovedRecords)]);
}

#[test]
fn a_merge_is_told_by_the_record_that_came_or_changed() {
    let run = first("crm:1 shop:1 | crm:2 | crm:3");
    assert_eq!(
        run.then_with("crm:1 shop:1 crm:2 web:1 | crm:3", &STEP).causes(),
        [(Merged, NewRecords)]
    );
    let changed = Step {
        values: &[("crm:2", "another value")],
        ..STEP
    };
    assert_eq!(
        run.then_with("crm:1 shop:1 crm:2 | crm:3", &changed).causes(),
        [(Merged, ChangedValues)]
    );
    // What changes elsewhere has no part in it.
    let elsewhere = Step {
        values: &[("crm:3", "another value")],
        ..STEP
    };
    assert_eq!(
        run.then_with("crm:1 shop:1 crm:2 | crm:3", &elsewhere).causes(),
        [(Merged, OtherRecords)]
    );
    // Both at once: what brings together is named first.
    assert_eq!(
        run.then_with("crm:1 shop:1 crm:2 web:1 | crm:3", &changed).causes(),
        [(Merged, NewRecords)]
    );
}

#[test]
fn a_split_is_told_by_the_record_that_changed_or_went() {
    let run = first("crm:1 shop:1 web:1 | crm:2");
    let text = "crm:1 | web:1 | crm:2";
    assert_eq!(run.then_with(text, &STEP).causes(), [(Split, RemovedRecords)]);
    let changed = Step {
        values: &[("web:1", "another value")],
        ..STEP
    };
    assert_eq!(run.then_with(text, &changed).causes(), [(Split, ChangedValues)]);
    assert_eq!(
        run.then_with("crm:1 shop:1 | web:1 | crm:2", &STEP).causes(),
        [(Split, OtherRecords)]
    );
    let with_new = run.then_with("crm:1 shop:1 | web:1 web:2 | crm:2", &STEP);
    assert_eq!(with_new.causes(), [(Split, NewRecords)]);
}

#[test]
fn decisions_go_before_rules_rules_before_models_and_models_before_records() {
    let run = first("crm:1 shop:1 | crm:2 | crm:3");
    let text = "crm:1 shop:1 crm:2 web:1 | crm:3";
    let everything = Step {
        decided: &["crm:2"],
        rules: true,
        model: true,
        ..STEP
    };
    let cause = |step: &Step<'_>| run.then_with(text, step).causes();
    assert_eq!(cause(&everything), [(Merged, Decision)]);
    let elsewhere = Step {
        decided: &["crm:3"],
        ..everything.clone()
    };
    assert_eq!(cause(&elsewhere), [(Merged, NewRule)]);
    let model = Step { model: true, ..STEP };
    assert_eq!(cause(&model), [(Merged, NewModel)]);
}

#[test]
fn records_that_move_and_keys_that_live_again_have_a_cause_too() {
    let run = first("crm:1 shop:1 shop:2 | crm:2 shop:3");
    let changed = Step {
        values: &[("shop:2", "another value")],
        ..STEP
    };
    let moved = run.then_with("crm:1 shop:1 | crm:2 shop:3 shop:2", &changed);
    assert_eq!(moved.causes(), [(RecordsMoved, ChangedValues)]);
    let merged = run.then_with("crm:1 shop:1 shop:2 crm:2 shop:3 web:9", &STEP);
    let apart = merged.then_with("crm:1 shop:1 shop:2 | crm:2 shop:3", &STEP);
    assert_eq!(apart.causes(), [(Resurrected, RemovedRecords)]);
}
