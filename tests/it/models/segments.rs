//! Segments, personas and recommendations on random data: their laws, and the functions they are made with.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use proptest::prelude::*;
use stammkunde::model::{self, Tables};
use stammkunde::table::RecordKind;

use super::support::{customers, day, engine, engine_with, model as file, people, records, rows, spec, standard_spec, table};

const KEYS: [&str; 8] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];

/// Everything that is made of segments, and what it reads.
const SEGMENTS: &str = "+segment_summary,+segment_transitions,+personas,+customer_next_product,+feedback_monthly,+customer_dates";

/// The selected shipped models over the tables, and the tables.
fn tables_as_of(as_of: &str, select: &str, base: &Tables, threads: usize) -> Tables {
    let (engine, spec) = (engine_with(threads), standard_spec());
    let models = model::order(&engine, &spec, &[select.to_owned()], &[]).expect("the models have an order");
    let mut tables = model::build(&engine, &spec, &models, day(as_of), base).expect("the models build");
    tables.extend(base.clone());
    tables
}

fn failing_audits(as_of: &str, tables: &Tables) -> Vec<String> {
    let results = model::audit(&engine(), &standard_spec(), day(as_of), tables).expect("the audits run");
    results
        .into_iter()
        .filter(|result| result.rows > 0)
        .map(|result| result.audit)
        .collect()
}

/// What happens in two and a half years: who, days before the end, cents, what is bought, a survey's answer.
type Deed = (usize, i64, i64, u8, Option<u8>);

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = (
        0..6_usize,
        0..900_i64,
        prop_oneof![1 => -5_000..0_i64, 8 => 1..50_000_i64, 1 => Just(99_999_999_999)],
        0..6_u8,
        prop::option::weighted(0.3, 0..=12_u8),
    );
    prop::collection::vec(deed, 1..60)
}

/// Orders with a line each, and answers. Two customers never buy.
fn base_of(deeds: &[Deed], is_reversed: bool) -> Tables {
    let mut orders: Vec<String> = Vec::new();
    let (mut lines, mut answers) = (Vec::new(), Vec::new());
    for (number, (who, age, cents, product, answer)) in deeds.iter().enumerate() {
        let (key, at) = (KEYS[*who], day("2024-12-31") - chrono::Duration::days(*age));
        let sign = if *cents < 0 { "-" } else { "" };
        let (units, rest) = (cents.abs() / 100, cents.abs() % 100);
        orders.push(format!("{key},shop,{number},{at}T12:00:00Z,EUR,{sign}{units}.{rest:02}"));
        lines.push(format!("{key},shop,{number},1,sku{product},Product {product},1,1"));
        if let Some(score) = answer {
            let scale = if score % 2 == 0 { "nps" } else { "csat" };
            answers.push(format!("{key},survey,{number},{at}T13:00:00Z,survey,{score},{scale}"));
        }
    }
    if is_reversed {
        orders.reverse();
        lines.reverse();
        answers.reverse();
    }
    let make = |kind, header: &str, rows: Vec<String>| {
        let csv: Vec<String> = std::iter::once(header.to_owned()).chain(rows).collect();
        records(kind, &csv.join("\n"))
    };
    let orders = make(RecordKind::Orders, "customer_key,source,order_id,ordered_at,currency,gross", orders);
    let lines = make(
        RecordKind::OrderLines,
        "customer_key,source,order_id,line_no,sku,name,quantity,unit_price",
        lines,
    );
    let answers = make(
        RecordKind::Interactions,
        "customer_key,source,interaction_id,occurred_at,kind,score,scale",
        answers,
    );
    Tables::from([
        ("orders".to_owned(), orders),
        ("order_lines".to_owned(), lines),
        ("interactions".to_owned(), answers),
        ("customers".to_owned(), customers(&KEYS)),
    ])
}

/// `table.column` of every published number that is NaN or infinite.
fn not_finite(tables: &Tables) -> Vec<String> {
    let mut found = Vec::new();
    for (name, table) in tables {
        for batch in &table.batches {
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                if field.data_type() == &DataType::Float64
                    && column
                        .as_primitive::<Float64Type>()
                        .iter()
                        .flatten()
                        .any(|value| !value.is_finite())
                {
                    found.push(format!("{name}.{}", field.name()));
                }
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, max_shrink_iters: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn audits_hold_numbers_are_finite_and_row_order_and_threads_change_nothing(deeds in deeds()) {
        let one = tables_as_of("2024-12-15", SEGMENTS, &base_of(&deeds, false), 1);
        let four = tables_as_of("2024-12-15", SEGMENTS, &base_of(&deeds, true), 4);
        prop_assert_eq!(failing_audits("2024-12-15", &one), Vec::<String>::new());
        prop_assert_eq!(not_finite(&one), Vec::<String>::new());
        let given = ["orders", "order_lines", "interactions"];
        for (name, table) in one.iter().filter(|(name, _)| !given.contains(&name.as_str())) {
            let columns: Vec<&str> = table.schema.fields().iter().map(|field| field.name().as_str()).collect();
            prop_assert_eq!(rows(table, &columns), rows(&four[name], &columns), "{}", name);
        }
        let keys: Vec<Vec<String>> = rows(&one["customer_segments"], &["customer_key"]);
        prop_assert_eq!(keys, KEYS.map(|key| vec![key.to_owned()]).to_vec());
    }

    #[test]
    fn the_segments_of_a_past_month_end_are_those_of_a_run_as_of_then(deeds in deeds()) {
        let base = base_of(&deeds, false);
        let (now, then) = (
            tables_as_of("2024-12-15", "+customer_segment_paths", &base, 2),
            tables_as_of("2024-09-30", "+customer_segment_paths", &base, 2),
        );
        // Oldest first: now from December 2023, then from September 2023; both end up to September 2024 in the same ten digits.
        let paths = |tables: &Tables| rows(&tables["customer_segment_paths"], &["customer_key", "segment_path"]);
        for (now, then) in paths(&now).iter().zip(paths(&then)) {
            prop_assert_eq!(&now[0], &then[0]);
            prop_assert_eq!(&now[1][..10], &then[1][3..]);
        }
    }
}

#[test]
fn consents_are_read_channel_by_channel_from_the_columns_that_a_project_has() {
    let mut schema = people("customer_key\na").schema.as_ref().clone();
    let mut fields: Vec<_> = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
    for (name, data_type) in [
        ("consent_email", DataType::Boolean),
        ("consent_email_source", DataType::Utf8),
        ("consent_push", DataType::Boolean),
    ] {
        fields.push(arrow::datatypes::Field::new(name, data_type, true));
    }
    schema = arrow::datatypes::Schema::new(fields);
    let csv = "customer_key,email,consent_email,consent_email_source,consent_push\na,a@example.org,true,crm,\nb,b@example.org,false,shop,true\nc,,,,";
    let base = Tables::from([("customers".to_owned(), table(&schema, csv))]);
    let query = "SELECT customer_key, channel, is_granted, source FROM consents ORDER BY customer_key, channel";
    let spec = spec(vec![file("said", query)], vec![]);
    let engine = engine();
    let models = model::order(&engine, &spec, &[], &[]).expect("the model has an order");
    let made = model::build(&engine, &spec, &models, day("2024-12-31"), &base).expect("the model builds");
    assert_eq!(
        rows(&made["said"], &["customer_key", "channel", "is_granted", "source"]),
        [
            ["a", "email", "true", "crm"],
            ["b", "email", "false", "shop"],
            ["b", "push", "true", ""]
        ]
    );
    assert!(
        model::reads(&spec, &models).contains("customers"),
        "a run keeps what the view reads"
    );
    let segments = tables_as_of("2024-12-31", "+customer_segments", &base, 2);
    assert_eq!(
        rows(&segments["customer_segments"], &["customer_key", "is_activatable_email"]),
        [["a", "true"], ["b", "false"], ["c", "false"]]
    );
}

/// The only value of a query, as text.
fn value(sql: &str) -> Result<String, String> {
    let engine = engine();
    let session = engine.session();
    let frame = engine.plan(&session, sql).map_err(|error| error.to_string())?;
    let batches = engine.collect(frame).map_err(|error| format!("{error:?}"))?;
    let column = batches[0].column(0);
    Ok(if column.is_null(0) {
        "null".to_owned()
    } else {
        arrow::util::display::array_value_to_string(column, 0).expect("a printable value")
    })
}

#[test]
fn dates_before_days_are_counted_and_the_last_is_named() {
    let dates = "[DATE '2024-01-05', DATE '2024-03-01', NULL]";
    let days = "[DATE '2024-01-05', DATE '2024-02-01', DATE '2025-01-01']";
    assert_eq!(value(&format!("SELECT count_before({dates}, {days})")), Ok("[0, 1, 2]".to_owned()));
    assert_eq!(
        value(&format!("SELECT last_before({dates}, {days})")),
        Ok("[, 2024-01-05, 2024-03-01]".to_owned())
    );
    assert_eq!(value(&format!("SELECT count_before(NULL, {days})")), Ok("null".to_owned()));
    assert!(value("SELECT count_before(1, 2)").is_err());
}

#[test]
fn clusters_are_fitted_and_assigned_in_sql() {
    let points = "(VALUES (1.0, 100.0), (1.1, 120.0), (9.0, 5000.0), (9.2, 5200.0), (1.2, 110.0), (NULL, 1.0)) AS t (x, y)";
    let fitted = format!("SELECT kmeans_fit(make_array(x, y), 2, 4, 1) AS clusters FROM {points}");
    assert_eq!(
        value(&format!("SELECT json_get(clusters, 'k') FROM ({fitted})")),
        Ok("2".to_owned())
    );
    assert_eq!(
        value(&format!("SELECT json_get(clusters, 'points') FROM ({fitted})")),
        Ok("5".to_owned())
    );
    let assigned = format!("SELECT kmeans_assign(clusters, make_array(8.0, 4800.0)) FROM ({fitted})");
    assert_eq!(value(&assigned), Ok("2".to_owned()));
    assert_eq!(
        value(&format!("SELECT kmeans_assign(clusters, make_array(8.0)) FROM ({fitted})")),
        Ok("null".to_owned())
    );
    let none = format!("SELECT kmeans_fit(make_array(x, y), 2, 4, 1) FROM {points} WHERE x > 100");
    assert_eq!(value(&none), Ok("null".to_owned()));
    for wrong in ["0, 4", "5, 4", "2, 99"] {
        assert!(
            value(&format!("SELECT kmeans_fit(make_array(x), {wrong}, 1) FROM {points}")).is_err(),
            "{wrong}"
        );
    }
    assert!(value("SELECT kmeans_assign('no clusters', make_array(1.0))").is_err());
}

#[test]
fn pairs_are_counted_and_the_next_item_is_chosen_in_sql() {
    let sets = "(VALUES (make_array(1, 2)), (make_array(2, 1, 3)), (make_array(3)), (NULL)) AS t (items)";
    assert_eq!(
        value(&format!("SELECT cardinality(pair_counts(items, 2)) FROM {sets}")),
        Ok("4".to_owned()),
        "1, 2, 3, and 1 with 2"
    );
    assert_eq!(
        value("SELECT next_item(make_array(1, 2), '1:7:0.5 2:7:0.25 2:8:0.7')['item']"),
        Ok("7".to_owned())
    );
    assert_eq!(value("SELECT next_item(make_array(5), '1:7:0.5')"), Ok("null".to_owned()));
    assert!(value("SELECT next_item(make_array(5), 'no parts')").is_err());
    let dated = "make_array(1 * 4294967296 + 7, 2 * 4294967296 + 9, 3 * 4294967296 + 7)";
    assert_eq!(value(&format!("SELECT newest_items({dated}, 5)")), Ok("[7, 9]".to_owned()));
}

#[test]
fn cut_points_that_do_not_ascend_fail_their_audit() {
    let base = Tables::from([
        (
            "orders".to_owned(),
            records(
                RecordKind::Orders,
                "customer_key,source,order_id,ordered_at,currency,gross\nc0,shop,1,2024-01-01T00:00:00Z,EUR,10",
            ),
        ),
        ("customers".to_owned(), customers(&KEYS)),
    ]);
    let failed = |cuts: &str| {
        let (engine, mut spec) = (engine(), standard_spec());
        spec.settings.insert(
            "rfm_recency_cuts".to_owned(),
            stammkunde::config::pipeline::Setting::Text(cuts.to_owned()),
        );
        let models = model::order(&engine, &spec, &["+segment_cuts".to_owned()], &[]).expect("the models have an order");
        let tables = model::build(&engine, &spec, &models, day("2024-12-31"), &base).expect("the models build");
        let results = model::audit(&engine, &spec, day("2024-12-31"), &tables).expect("the audits run");
        results.iter().any(|result| result.audit == "segment_cuts_order" && result.rows > 0)
    };
    assert!(!failed("30,90,180,365"));
    assert!(failed("90,30,180,365"));
    assert!(failed("30,90,180"));
}
