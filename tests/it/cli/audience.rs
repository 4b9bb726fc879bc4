//! `stammkunde audience`: who is told to a platform, who is not, and what is written.

use std::collections::BTreeSet;

use stammkunde::audience::normalize::hashed;

use super::support::{Project, breaches, listing, schema};

/// A CRM that knows consent. One person a row; the twins Berta and Bruno share an address, and Bruno said no.
const ROWS: [&str; 8] = [
    "A1;Anna;Achterberg;anna@post.example;030 5550101;10115;yes;gold",
    "B1;Berta;Brinkmeyer;twins@post.example;030 5550102;20095;yes;gold",
    "B2;Bruno;Brinkmeyer;twins@post.example;;20095;no;silver",
    "C1;Cornelia;Cordesius;cornelia@post.example;030 5550104;50667;;gold",
    "D1;Dietmar;Dornbusch;dietmar@post.example;030 5550105;80331;no;gold",
    "E1;Elfriede;Eickelkamp;e.l.friede+shop@gmail.com;;04109;yes;silver",
    "F1;Friedhelm;Fahrenholz;;;;yes;gold",
    "G1;Gudrun;Grabowski;gudrun@post.example;;04109;yes;bronze",
];

const CONTACTS: &str = r#"-- name: crm.contacts
-- grain: one row per contact
-- description: Contacts.
SELECT "Id" AS record_id, "Id" AS customer_no, "Given" AS given_name, "Family" AS family_name, "Mail" AS email, "Phone" AS phone,
  "Zip" AS postcode, 'DE' AS country, "Level" AS loyalty_no, parse_boolean("Ads") AS consent_advertising
FROM raw
"#;

/// A model that gives every customer a level, as a segmentation does.
const LEVELS: &str = "-- name: customer_segments
-- grain: one row per customer
-- description: Levels.
SELECT customer_key, coalesce(loyalty_no, 'none') AS segment, length(given_name) AS letters FROM customers
";

fn project() -> Project {
    let project = Project::small();
    project.edit(
        "pipeline.yaml",
        "  identifiers: [customer_no, loyalty_no]",
        "  identifiers: [customer_no]\n  one_per_customer: [crm]",
    );
    project.write("sources/crm.contacts.sql", CONTACTS);
    project.write("models/customer_segments.sql", LEVELS);
    project.write_csv(
        "exports/crm.csv",
        "Id;Given;Family;Mail;Phone;Zip;Ads;Level",
        &ROWS.map(str::to_owned),
    );
    project.write_csv(
        "exports/shop.csv",
        super::support::SHOP_HEADER,
        &["S-1,gudrun@post.example,Gudrun Grabowski,04109,2026-01-05,10.00".to_owned()],
    );
    project.run(&[]);
    project
}

/// Lines of a file below the project, without the header.
fn lines(project: &Project, path: &str) -> Vec<Vec<String>> {
    let text = project.read(path);
    text.lines()
        .skip(1)
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect()
}

fn column(rows: &[Vec<String>], at: usize) -> BTreeSet<String> {
    rows.iter().map(|row| row[at].clone()).filter(|cell| !cell.is_empty()).collect()
}

fn set(values: &[&str]) -> BTreeSet<String> {
    values.iter().map(|value| hashed(value)).collect()
}

#[test]
fn only_who_agreed_is_told_and_nobody_by_an_address_of_somebody_who_refused() {
    let project = project();
    let output = project.file("ads");
    let output = output.to_str().expect("UTF-8");
    let done = project
        .call("audience", &["--segment", "gold,silver", "--output", output, "--format", "json"])
        .ends_with(0);
    let report = done.json();
    assert_eq!(breaches(&schema("audience"), &report), Vec::<String>::new());
    assert_eq!((&report["customers_selected"], &report["customers"]), (&7.into(), &4.into()));
    assert_eq!(
        report["left_out"],
        serde_json::json!({"gone": 0, "suppressed": 0, "refused": 2, "unknown": 1})
    );
    assert_eq!(report["identifiers_withheld"], 1);
    assert!(done.stderr.contains("4 of 7 customers may be told"), "{}", done.stderr);
    let google = lines(&project, "ads/google_customer_match.csv");
    assert!(
        project
            .read("ads/google_customer_match.csv")
            .starts_with("Email,Phone,First Name,Last Name,Country,Zip\n")
    );
    assert_eq!(column(&google, 0), set(&["anna@post.example", "elfriede@gmail.com"]));
    assert_eq!(column(&google, 1), set(&["+49305550101", "+49305550102"]));
    assert_eq!(column(&google, 3), set(&["achterberg", "brinkmeyer", "eickelkamp"]));
    let meta = lines(&project, "ads/meta_custom_audience.csv");
    assert_eq!(
        column(&meta, 0),
        set(&["anna@post.example", "e.l.friede+shop@gmail.com"]),
        "Meta keeps dots and tags"
    );
    assert_eq!(column(&meta, 1), set(&["49305550101", "49305550102"]));
    // Friedhelm has nothing but a name and the country: not enough for Google.
    let platforms = report["platforms"].as_array().expect("platforms");
    assert_eq!((&platforms[0]["rows"], &platforms[0]["nothing_to_match"]), (&3.into(), &1.into()));
    assert_eq!((&platforms[1]["rows"], &platforms[1]["nothing_to_match"]), (&4.into(), &0.into()));
    for file in ["ads/google_customer_match.csv", "ads/meta_custom_audience.csv"] {
        let text = project.read(file).to_lowercase();
        let mut sorted: Vec<&str> = text.lines().skip(1).collect();
        assert!(sorted.is_sorted(), "the order of rows tells nothing");
        sorted.dedup();
        for name in ["anna", "brinkmeyer", "post.example", "5550101"] {
            assert!(!text.contains(name), "{name} is in {file}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(project.file(file)).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }
    // Again, over files that everybody could read by now.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = project.file("ads/meta_custom_audience.csv");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("our own file");
        project
            .call("audience", &["--segment", "gold", "--platform", "meta", "--output", output])
            .ends_with(0);
        assert_eq!(std::fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
        assert_eq!(lines(&project, "ads/meta_custom_audience.csv").len(), 3);
        assert_eq!(
            std::fs::read_dir(project.file("ads")).expect("a folder").count(),
            2,
            "no half file is left"
        );
    }
}

#[test]
fn a_dry_run_counts_and_writes_nothing() {
    let project = project();
    let before = listing(project.path());
    let done = project
        .call("audience", &["--segment", "gold", "--dry-run"])
        .ends_with(0)
        .says("nothing was written");
    assert!(done.stdout.contains("google") && done.stdout.contains("meta"), "{}", done.stdout);
    assert_eq!(listing(project.path()), before);
    project.call("audience", &["--segment", "gold"]).ends_with(2).says("--output");
}

#[test]
fn conditions_choose_by_any_table_of_customers() {
    let project = project();
    let count = |arguments: &[&str]| {
        let report = project
            .call("audience", &[arguments, &["--dry-run", "--format", "json"]].concat())
            .ends_with(0)
            .json();
        (report["customers_selected"].as_u64().expect("a count"), report["unmet"].clone())
    };
    assert_eq!(count(&["--where", "customers.postcode=04109"]), (2, serde_json::json!([])));
    assert_eq!(count(&["--where", "customers.postcode=04109", "--segment", "bronze"]).0, 1);
    assert_eq!(
        count(&["--where", "customer_segments.letters>=6", "--where", "customer_segments.letters<=7"]).0,
        2
    );
    assert_eq!(count(&["--where", "order_counts.orders_count>=1"]).0, 1);
    let (selected, unmet) = count(&["--segment", "gold", "--segment", "platinum"]);
    assert_eq!((selected, unmet), (5, serde_json::json!(["customer_segments.segment=platinum"])));
    for (arguments, told) in [
        (["--where", "nothing.x=1"], "no such table"),
        (["--where", "customers.nothing=1"], "no such column"),
        (["--where", "rejects.source=crm"], "knows no customers"),
        (["--segment", "gold"], ""),
    ] {
        let call = project.call("audience", &[&arguments[..], &["--dry-run"]].concat());
        if told.is_empty() {
            call.ends_with(0);
        } else {
            call.ends_with(3).says(told);
        }
    }
    project
        .call("audience", &["--where", "customer_segments.letters>=x", "--dry-run"])
        .ends_with(2);
    project.call("audience", &["--dry-run"]).ends_with(2).says("nobody is chosen");
}

#[test]
fn without_a_column_of_consent_nothing_is_written() {
    let project = project();
    let done = project
        .call("audience", &["--segment", "gold", "--consent", "consent_email", "--dry-run"])
        .ends_with(3);
    done.says("no such consent").says("consent_advertising");
    // A column that is no consent is none, whatever it says.
    project
        .call("audience", &["--segment", "gold", "--consent", "email", "--dry-run"])
        .ends_with(3);
    project
        .call("audience", &["--segment", "gold", "--consent", "", "--dry-run"])
        .ends_with(3);
}

#[test]
fn who_withdraws_or_is_kept_out_is_not_told_from_an_older_version_either() {
    let project = project();
    project.edit("exports/crm.csv", "10115;yes;gold", "10115;no;gold");
    project.run(&["--as-of", "2026-11-01"]);
    let told = |arguments: &[&str]| {
        let base = ["--segment", "gold", "--dry-run", "--format", "json"];
        project.call("audience", &[&base[..], arguments].concat()).ends_with(0).json()
    };
    let older = told(&["--version", "1"]);
    assert_eq!((&older["version"], &older["newest_version"]), (&1.into(), &2.into()));
    assert_eq!((&older["customers"], &older["left_out"]["refused"]), (&2.into(), &2.into()));
    let privacy = |action: &str, arguments: &[&str]| {
        let mut command = super::support::stammkunde();
        super::support::call(command.args(["privacy", action]).arg(project.path()).args(arguments)).ends_with(0)
    };
    // On the list from now on, though the newest version still has her.
    privacy("suppress", &["crm:B1"]);
    let now = told(&[]);
    assert_eq!((&now["customers"], &now["left_out"]["suppressed"]), (&1.into(), &1.into()));
    privacy("erase", &["crm:F1", "--yes"]);
    let erased = told(&["--version", "1"]);
    assert_eq!((&erased["customers"], &erased["left_out"]["gone"]), (&0.into(), &1.into()));
}
