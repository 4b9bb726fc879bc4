//! The demo: the same bytes for the same seed, the quirks of real exports, and a truth that covers exactly the contacts in them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use stammkunde::demo::{DemoOptions, Evaluation, evaluate, generate, write_project};
use stammkunde::{Error, ErrorKind};

mod money;

const SMALL: DemoOptions = DemoOptions {
    people: 400,
    seed: 7,
    orders: None,
};

fn demo(options: DemoOptions) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    generate(&options, folder.path()).expect("a demo");
    folder
}

/// Every file below a folder with its bytes, by relative path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
        {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                found.insert(
                    entry.strip_prefix(folder).expect("below the folder").to_owned(),
                    std::fs::read(&entry).expect("a file"),
                );
            }
        }
    }
    found
}

/// Bytes of every file whose path starts like this, in order of the paths.
fn bytes(folder: &Path, start: &str) -> Vec<Vec<u8>> {
    let found: Vec<Vec<u8>> = files(folder)
        .into_iter()
        .filter(|(path, _)| path.to_string_lossy().starts_with(start))
        .map(|(_, bytes)| bytes)
        .collect();
    assert!(!found.is_empty(), "no file {start}*");
    found
}

/// Rows of delimited text, header included.
fn parse(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            character if character == delimiter && !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            other => field.push(other),
        }
    }
    assert!(!quoted && field.is_empty() && row.is_empty(), "the text ends inside a row");
    rows
}

/// Values by column, empty fields left out.
type Row = BTreeMap<String, String>;

/// Rows of CSV files with a header.
fn table(folder: &Path, start: &str) -> Vec<Row> {
    let mut all = Vec::new();
    for bytes in bytes(folder, start) {
        let text = String::from_utf8(bytes).expect("UTF-8");
        let mut rows = parse(text.trim_start_matches('\u{feff}'), ',').into_iter();
        let header = rows.next().expect("a header");
        all.extend(rows.map(|row| {
            header
                .iter()
                .cloned()
                .zip(row)
                .filter(|(_, value)| !value.is_empty())
                .collect::<BTreeMap<_, _>>()
        }));
    }
    all
}

/// CRM rows with the header's number of fields, without header and footer.
fn crm(folder: &Path) -> (Vec<Vec<String>>, usize) {
    let (mut whole, mut ragged) = (Vec::new(), 0);
    for bytes in bytes(folder, "exports/crm/") {
        let (text, _, _) = encoding_rs::WINDOWS_1252.decode(&bytes);
        let rows = parse(text.strip_prefix("sep=;\r\n").expect("a sep= line"), ';');
        let (footer, rows) = rows[1..].split_last().expect("a footer");
        assert!(footer[0].starts_with("Anzahl Datensätze: "), "{footer:?}");
        for row in rows {
            if row.len() == 21 { whole.push(row.clone()) } else { ragged += 1 }
        }
    }
    (whole, ragged)
}

fn json_lines(bytes: &[u8]) -> Vec<serde_json::Value> {
    std::str::from_utf8(bytes)
        .expect("UTF-8")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn events(folder: &Path) -> Vec<serde_json::Value> {
    let mut all = Vec::new();
    for bytes in bytes(folder, "exports/web/") {
        let mut text = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes.as_slice())
            .read_to_end(&mut text)
            .expect("gzip members");
        all.extend(json_lines(&text));
    }
    all
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn equal_seeds_give_equal_bytes_on_any_number_of_threads() {
    let first = demo(SMALL);
    let second = tempfile::tempdir().expect("a temporary folder");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    pool.install(|| generate(&SMALL, second.path())).expect("a demo");
    assert!(files(first.path()) == files(second.path()));
    let other = demo(DemoOptions { seed: 8, ..SMALL });
    assert!(files(first.path()) != files(other.path()));
}

#[test]
fn the_truth_covers_exactly_the_contacts_of_the_exports() {
    let folder = demo(SMALL);
    let truth = table(folder.path(), "truth.csv");
    let listed: Vec<(String, String)> = truth.iter().map(|row| (row["source"].clone(), row["record_id"].clone())).collect();
    let mut expected: BTreeSet<(String, String)> = BTreeSet::new();
    let mut expect = |source: &str, id: String| expected.insert((source.to_owned(), id));
    for row in crm(folder.path()).0 {
        expect("crm", row[0].clone());
    }
    for row in table(folder.path(), "exports/shop/customers") {
        expect("shop_customers", row["Customer ID"].trim_start_matches('\'').to_owned());
    }
    for row in table(folder.path(), "exports/shop/orders")
        .iter()
        .filter(|row| row.contains_key("Id"))
    {
        if let Some(email) = row.get("Email") {
            expect("shop_orders", email.to_lowercase());
        }
    }
    for row in table(folder.path(), "exports/newsletter/") {
        expect("newsletter", row["E-Mail-Adresse"].to_lowercase());
    }
    for event in events(folder.path()) {
        expect("web", text(&event["user_pseudo_id"]));
    }
    for ticket in json_lines(&bytes(folder.path(), "exports/support/")[0]) {
        expect("support", text(&ticket["requester"]["id"]));
    }
    let unique: BTreeSet<(String, String)> = listed.iter().cloned().collect();
    assert_eq!(unique.len(), listed.len(), "a record stands twice in the truth");
    assert_eq!(unique, expected);
    assert!(truth.iter().all(|row| {
        row["person"]
            .strip_prefix("visitor-")
            .unwrap_or(&row["person"])
            .parse::<u32>()
            .is_ok_and(|person| person < 400)
    }));
}

#[test]
fn most_people_are_in_several_sources() {
    let folder = demo(SMALL);
    let mut sources: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in table(folder.path(), "truth.csv") {
        sources.entry(row["person"].clone()).or_default().insert(row["source"].clone());
    }
    let several = sources.values().filter(|sources| sources.len() > 1).count();
    assert!(several * 2 > sources.len(), "{several} of {}", sources.len());
}

#[test]
fn the_crm_is_written_as_german_excel_writes_it() {
    let folder = demo(DemoOptions {
        people: 3000,
        orders: Some(30),
        ..SMALL
    });
    let raw: Vec<u8> = bytes(folder.path(), "exports/crm/").concat();
    assert!(raw.starts_with(b"sep=;\r\nKundenNr;Anrede;"));
    assert!(raw.windows(9).any(|bytes| bytes == b"Ge\xE4ndert "), "Windows-1252 umlauts");
    assert!(std::str::from_utf8(&raw).is_err() && !raw.windows(2).any(|bytes| bytes == b"&#"));
    let (rows, ragged) = crm(folder.path());
    assert!(ragged > 0);
    let has = |column: usize, test: &dyn Fn(&str) -> bool| rows.iter().filter(|row| test(&row[column])).count();
    assert!(has(13, &|birth| birth == "01.01.1900") > 0 && has(13, &|birth| birth == "31.02.1975") > 0);
    assert!(has(12, &|email| email == "test@test.de") > 0);
    assert!(has(3, &|given| given == "k.A.") > 0);
    assert!(has(16, &|note| note.contains('\n')) > 0);
    assert!(has(14, &|money| money.contains('.') && money.contains(',')) > 0);
    let shared = has(12, &|email| email == "einkauf@grosskunde.example");
    assert!((12..=30).contains(&shared), "{shared} of 24 people share the mailbox");
}

#[test]
fn the_orders_sum_up_and_only_their_first_rows_carry_money() {
    let folder = demo(SMALL);
    assert_eq!(bytes(folder.path(), "exports/shop/orders").len(), 3);
    let cents = |row: &BTreeMap<String, String>, column: &str| row[column].replace('.', "").parse::<i64>().expect("cents");
    let mut orders: BTreeMap<String, (Option<Row>, i64, usize)> = BTreeMap::new();
    for row in table(folder.path(), "exports/shop/orders") {
        let (head, goods, lines) = orders.entry(row["Name"].clone()).or_default();
        *goods += cents(&row, "Lineitem price") * row["Lineitem quantity"].parse::<i64>().expect("a quantity");
        *lines += 1;
        if row.contains_key("Id") {
            assert!(head.replace(row).is_none(), "two first rows");
        } else {
            assert!(!row.contains_key("Total") && !row.contains_key("Billing Name"));
        }
    }
    assert_eq!(orders.len(), 2000);
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    let mut zones: BTreeSet<String> = BTreeSet::new();
    for (name, (head, goods, _)) in &orders {
        let head = head.as_ref().unwrap_or_else(|| panic!("{name} has no first row"));
        assert_eq!(cents(head, "Subtotal"), goods - cents(head, "Discount Amount"), "{name}");
        assert_eq!(cents(head, "Total"), cents(head, "Subtotal") + cents(head, "Shipping"), "{name}");
        assert!(cents(head, "Refunded Amount") <= cents(head, "Total"), "{name}");
        kinds.insert(head["Financial Status"].clone());
        let (day, zone) = (&head["Created at"][..10], &head["Created at"][19..]);
        assert!(("2023-11-01"..="2026-10-31").contains(&day), "{day}");
        zones.insert(zone.to_owned());
    }
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        ["paid", "partially_refunded", "pending", "refunded", "voided"]
    );
    assert_eq!(zones.into_iter().collect::<Vec<_>>(), [" +0100", " +0200"]);
    assert!(orders.values().any(|(_, _, lines)| *lines > 1));
}

#[test]
fn the_number_of_orders_is_the_one_asked_for() {
    for orders in [0, 1, 137] {
        let folder = demo(DemoOptions {
            people: 60,
            seed: 3,
            orders: Some(orders),
        });
        let names: BTreeSet<String> = table(folder.path(), "exports/shop/orders")
            .iter()
            .map(|row| row["Name"].clone())
            .collect();
        assert_eq!(names.len() as u64, orders);
    }
}

#[test]
fn the_shop_protects_numbers_and_names_the_customer_number_of_the_crm() {
    let folder = demo(SMALL);
    assert!(bytes(folder.path(), "exports/shop/customers")[0].starts_with(b"\xEF\xBB\xBFCustomer ID,"));
    let customers = table(folder.path(), "exports/shop/customers");
    assert!(customers.iter().all(|row| row["Customer ID"].starts_with('\'')));
    let person_of: BTreeMap<(String, String), String> = table(folder.path(), "truth.csv")
        .into_iter()
        .map(|row| ((row["source"].clone(), row["record_id"].clone()), row["person"].clone()))
        .collect();
    let mut tagged = 0;
    for row in &customers {
        if let Some((_, after)) = row.get("Tags").and_then(|tags| tags.split_once("kdnr:")) {
            let number = after.split(',').next().expect("split gives one part at least");
            let in_crm = &person_of[&("crm".to_owned(), number.to_owned())];
            assert_eq!(
                in_crm,
                &person_of[&("shop_customers".to_owned(), row["Customer ID"][1..].to_owned())]
            );
            tagged += 1;
        }
    }
    assert!(tagged > 0);
}

#[test]
fn a_log_in_joins_a_browser_to_the_shop_account_of_the_same_person() {
    let folder = demo(SMALL);
    let person_of: BTreeMap<(String, String), String> = table(folder.path(), "truth.csv")
        .into_iter()
        .map(|row| ((row["source"].clone(), row["record_id"].clone()), row["person"].clone()))
        .collect();
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut ids: BTreeSet<String> = BTreeSet::new();
    for event in events(folder.path()) {
        let (device, user) = (text(&event["user_pseudo_id"]), event["user_id"].as_str());
        users.entry(device.clone()).or_default().extend(user.map(str::to_owned));
        let id = format!("{device} {} {}", text(&event["event_timestamp"]), text(&event["event_name"]));
        assert!(event["event_timestamp"].is_string(), "64-bit numbers are text in JSON exports");
        assert!(ids.insert(id), "an event stands twice");
    }
    let single: Vec<(&String, &String)> = users
        .iter()
        .filter(|(_, users)| users.len() == 1)
        .map(|(device, users)| (device, users.first().expect("one")))
        .collect();
    assert!(single.len() > 20);
    for (device, user) in single {
        assert_eq!(
            person_of[&("web".to_owned(), device.clone())],
            person_of[&("shop_customers".to_owned(), user.clone())]
        );
    }
    assert!(users.values().any(BTreeSet::is_empty), "some browsers never log in");
    assert!(users.values().any(|users| users.len() == 2), "some browsers are shared");
}

#[test]
fn survey_answers_have_two_header_rows_and_tickets_come_twice() {
    let folder = demo(SMALL);
    let survey = parse(
        &String::from_utf8(bytes(folder.path(), "exports/survey/").remove(0)).expect("UTF-8"),
        ',',
    );
    assert_eq!(survey[1][3], "Response");
    assert!(survey[2..].iter().any(|row| row[3] == "9 – sehr wahrscheinlich"));
    let tickets = json_lines(&bytes(folder.path(), "exports/support/")[0]);
    let unique: BTreeSet<String> = tickets.iter().map(|ticket| text(&ticket["id"])).collect();
    assert!(unique.len() < tickets.len());
}

#[test]
fn every_mailbox_belongs_to_one_person_in_shop_and_newsletter() {
    let folder = demo(SMALL);
    let mut owner: BTreeMap<String, String> = BTreeMap::new();
    for row in table(folder.path(), "truth.csv")
        .iter()
        .filter(|row| matches!(row["source"].as_str(), "shop_orders" | "newsletter"))
    {
        let earlier = owner.insert(row["record_id"].clone(), row["person"].clone());
        assert!(earlier.is_none_or(|earlier| earlier == row["person"]), "a mailbox of two people");
    }
    assert!(
        owner.keys().all(|email| email.ends_with(".example")),
        "an address that could belong to somebody"
    );
}

#[test]
fn one_person_is_a_demo_and_nobody_is_an_error() {
    demo(DemoOptions {
        people: 1,
        seed: 1,
        orders: None,
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error: Error = generate(&DemoOptions { people: 0, ..SMALL }, folder.path()).expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[test]
fn the_project_names_the_files_that_the_generator_writes() {
    let folder = demo(SMALL);
    write_project(folder.path()).expect("a project");
    let written = files(folder.path());
    let pipeline = String::from_utf8(written[Path::new("pipeline.yaml")].clone()).expect("UTF-8");
    let mut sources = 0;
    for pattern in pipeline.lines().filter_map(|line| line.trim().strip_prefix("files: ")) {
        let pattern = glob::Pattern::new(pattern).expect("a glob");
        assert!(written.keys().any(|path| pattern.matches_path(path)), "{pattern} matches nothing");
        sources += 1;
    }
    assert_eq!(sources, 9);
    for name in [
        "crm.contacts",
        "shop_orders.order_lines",
        "web.events",
        "survey.interactions",
        "club.subscriptions",
    ] {
        assert!(written.contains_key(&PathBuf::from(format!("sources/{name}.sql"))), "{name}");
    }
}

fn rounded(evaluation: &Evaluation) -> [f64; 6] {
    let Evaluation { pairs, b_cubed, .. } = evaluation;
    [
        pairs.precision,
        pairs.recall,
        pairs.f1,
        b_cubed.precision,
        b_cubed.recall,
        b_cubed.f1,
    ]
    .map(|value| (value * 10_000.0).round() / 10_000.0)
}

#[test]
fn evaluation_agrees_with_a_hand_computed_example() {
    // Truth {1, 2, 3} {4, 5}, predicted {1, 2} {3, 4, 5}. Pairs: 2 in common, 4 predicted, 4 true.
    // B-cubed precision (1 + 1 + 1/3 + 2/3 + 2/3) / 5, recall (2/3 + 2/3 + 1/3 + 1 + 1) / 5: both 11/15.
    let evaluation = evaluate(&[("a", 1), ("a", 1), ("a", 2), ("b", 2), ("b", 2)]);
    assert_eq!(rounded(&evaluation), [0.5, 0.5, 0.5, 0.7333, 0.7333, 0.7333]);
    assert_eq!(
        (
            evaluation.records,
            evaluation.clusters,
            evaluation.clusters_true,
            evaluation.cluster_size_max
        ),
        (5, 2, 2, 3)
    );
}

#[test]
fn one_cluster_of_everything_has_full_recall_and_singletons_have_full_precision() {
    let all = evaluate(&[("a", 1), ("a", 1), ("b", 1), ("c", 1)]);
    assert_eq!(rounded(&all), [0.1667, 1.0, 0.2857, 0.375, 1.0, 0.5455]);
    let none = evaluate(&[("a", 1), ("a", 2), ("b", 3), ("c", 4)]);
    assert_eq!(rounded(&none), [0.0, 0.0, 0.0, 1.0, 0.75, 0.8571]);
    assert_eq!(rounded(&evaluate::<u8, u8>(&[])), [0.0; 6]);
}

proptest! {
    #[test]
    fn evaluation_does_not_depend_on_order_or_labels(records in prop::collection::vec((0_u8..6, 0_u8..6), 0..60), shift in 0_u8..100) {
        let first = evaluate(&records);
        let mut changed: Vec<(u8, u8)> = records.iter().map(|&(person, key)| (person.wrapping_mul(7).wrapping_add(shift), key + shift)).collect();
        changed.reverse();
        prop_assert_eq!(first, evaluate(&changed));
        // Swapping truth and prediction swaps precision and recall.
        let swapped: Vec<(u8, u8)> = records.iter().map(|&(person, key)| (key, person)).collect();
        let swapped = evaluate(&swapped);
        prop_assert_eq!(first.pairs.precision, swapped.pairs.recall);
        prop_assert_eq!(first.b_cubed.recall, swapped.b_cubed.precision);
    }
}

mod mappings {
    use super::*;
    use arrow::array::{AsArray, RecordBatch};
    use stammkunde::config::Overrides;
    use stammkunde::engine::{Engine, EngineOptions};
    use stammkunde::source::{self, Ingested, Ledger, NoPieces};
    use stammkunde::table::RecordKind;

    /// The demo's exports, read and mapped as a run would.
    fn ingest(folder: &Path) -> Ingested {
        write_project(folder).expect("a project");
        let spec = stammkunde::config::load(folder, &Overrides::default(), &|_| None).expect("a valid project");
        let engine = Engine::new(&EngineOptions {
            threads: Some(2),
            memory_limit_bytes: None,
            ..EngineOptions::default()
        })
        .expect("an engine");
        assert_eq!(source::check(&engine, &spec), []);
        let inputs: Vec<_> = source::list(&engine, &spec, &Ledger::default())
            .expect("files")
            .into_iter()
            .map(|(input, _)| input)
            .collect();
        source::read(&engine, &spec, &inputs, &Ledger::default(), &NoPieces).expect("records")
    }

    fn values(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
        batch
            .column_by_name(name)
            .expect("a canonical column")
            .as_string::<i32>()
            .iter()
            .map(|value| value.map(str::to_owned))
            .collect()
    }

    #[test]
    fn the_mappings_give_exactly_the_contacts_of_the_truth() {
        let folder = demo(SMALL);
        let read = ingest(folder.path());
        let batch = read.contacts.batch();
        let sources = values(batch, "source").into_iter().flatten();
        let given: BTreeSet<(String, String)> = sources.zip(values(batch, "record_id").into_iter().flatten()).collect();
        let truth: BTreeSet<(String, String)> = table(folder.path(), "truth.csv")
            .into_iter()
            .map(|row| (row["source"].clone(), row["record_id"].clone()))
            .collect();
        assert_eq!(given.len(), batch.num_rows());
        assert_eq!(given, truth);
    }

    #[test]
    fn the_mappings_fill_the_facts_and_reject_what_was_damaged() {
        let folder = demo(SMALL);
        let read = ingest(folder.path());
        let rows = |kind: RecordKind| -> usize {
            read.facts
                .iter()
                .filter(|(other, _)| *other == kind)
                .flat_map(|(_, batches)| batches)
                .map(RecordBatch::num_rows)
                .sum()
        };
        assert_eq!(rows(RecordKind::Orders), 2000);
        assert_eq!(rows(RecordKind::OrderLines), table(folder.path(), "exports/shop/orders").len());
        assert_eq!(rows(RecordKind::Events), events(folder.path()).len());
        let answers = parse(
            &String::from_utf8(bytes(folder.path(), "exports/survey/").remove(0)).expect("UTF-8"),
            ',',
        )
        .len()
            - 2;
        let tickets: BTreeSet<String> = json_lines(&bytes(folder.path(), "exports/support/")[0])
            .iter()
            .map(|ticket| text(&ticket["id"]))
            .collect();
        assert_eq!(rows(RecordKind::Interactions), answers + tickets.len());
        let (_, ragged) = crm(folder.path());
        assert!(ragged > 0);
        assert_eq!(
            read.rejects.rows.iter().filter(|reject| reject.reason == "ragged_row").count(),
            ragged
        );
        // Values that a mapping loses are rejects; nothing but days that never were may be among them.
        let lost: BTreeSet<&str> = read
            .rejects
            .rows
            .iter()
            .filter(|reject| reject.reason != "ragged_row")
            .filter_map(|reject| reject.content.as_deref())
            .collect();
        assert!(lost.iter().all(|content| *content == "31.02.1975"), "{lost:?}");
    }

    #[test]
    fn gross_is_what_was_charged_for_goods() {
        let folder = demo(SMALL);
        let read = ingest(folder.path());
        let sum = |name: &str| -> i128 {
            let orders = read
                .facts
                .iter()
                .filter(|(kind, _)| *kind == RecordKind::Orders)
                .flat_map(|(_, batches)| batches);
            orders
                .map(|batch| {
                    let column = batch.column_by_name(name).expect("a canonical column");
                    column
                        .as_primitive::<arrow::datatypes::Decimal128Type>()
                        .iter()
                        .flatten()
                        .sum::<i128>()
                })
                .sum()
        };
        let exported = |column: &str| -> i128 {
            let rows = table(folder.path(), "exports/shop/orders");
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|text| text.replace('.', "").parse::<i128>().expect("cents") * 100)
                .sum()
        };
        assert_eq!(sum("gross"), exported("Subtotal"));
        assert_eq!(sum("discount"), exported("Discount Amount"));
        assert_eq!(sum("shipping"), exported("Shipping"));
        assert!(sum("refunded") > 0 && sum("refunded") < exported("Refunded Amount"));
        let share = sum("tax") * 10_000 / sum("gross");
        assert!((1590..=1600).contains(&share), "19/119 of the gross, not {share} of 10000");
    }
}
