//! From nothing to a project that runs: `init`, `validate`, `test`, `run`.

use serde_json::json;

use super::support::{Project, breaches, call, schema, stammkunde};

fn init(project: &Project) -> super::support::Done {
    call(stammkunde().arg("init").arg(project.path()))
}

#[test]
fn a_new_project_validates_tests_and_runs() {
    let project = Project::empty();
    let written = init(&project).ends_with(0);
    assert!(written.stdout.contains("pipeline.yaml") && written.stdout.contains("stammkunde run"));
    project.call("validate", &[]).ends_with(0);
    let tested = project.call("test", &[]).ends_with(0);
    assert!(tested.stdout.contains("order_counts"), "{}", tested.stdout);
    let mut run = project.command("run", &["--as-of", "2026-05-01", "--format", "json"]);
    let report = call(run.env("STAMMKUNDE_KEY_SECRET", "0123456789abcdef0123456789abcdef"))
        .ends_with(0)
        .json();
    assert_eq!(report["outcome"], "published");
    assert_eq!(breaches(&schema("run"), &report), Vec::<String>::new());
    // The shop knows him by his address alone.
    assert_eq!(
        project.key_of("crm", "K-0001"),
        project.key_of("shop", "juergen.mueller@mail.internal")
    );
    assert_eq!(project.table("orders").len(), 5);
}

#[test]
fn init_never_overwrites_a_file() {
    let project = Project::empty();
    project.write("sources/crm.contacts.sql", "mine");
    let refused = init(&project).ends_with(2).says("exists already");
    assert_eq!(refused.stdout, "");
    assert_eq!(project.read("sources/crm.contacts.sql"), "mine");
    assert!(!project.file("pipeline.yaml").exists(), "half a project was written");
}

#[test]
fn the_tests_of_the_demo_and_its_standard_models_pass() {
    let project = Project::demo();
    let results = project.call("test", &["--format", "json"]).ends_with(0).json();
    let results = results.as_array().expect("a list");
    assert!(results.len() >= 7, "{results:?}");
    assert!(results.iter().all(|result| result["differences"] == json!([])));
    assert_eq!(breaches(&schema("test"), &json!(results)), Vec::<String>::new());
}

#[test]
fn a_failing_test_case_ends_with_1_and_says_what_differs() {
    let project = Project::small();
    project.write("tests/counts/given/_case.csv", "as_of\n2026-10-31\n");
    project.write(
        "tests/counts/given/orders.csv",
        "customer_key,order_id,gross\na,1,10.00\na,2,5.00\n",
    );
    project.write("tests/counts/expect/order_counts.csv", "customer_key,orders_count\na,3\n");
    let failed = project.call("test", &[]).ends_with(1).says("test case");
    assert!(failed.stdout.contains("FAIL counts order_counts"), "{}", failed.stdout);
    project.write("tests/counts/expect/order_counts.csv", "customer_key,orders_count\na,2\n");
    project.call("test", &[]).ends_with(0);
}

fn broken() -> Project {
    let project = Project::small();
    project.edit("pipeline.yaml", "time_zone: Europe/Berlin", "time_zone: Europe/Berlni");
    project.edit("sources/crm.contacts.sql", "\"City\" AS city", "\"Citty\" AS city");
    project.edit("models/regulars.sql", "FROM order_counts", "FROM order_count");
    project.edit("audits/order_counts_positive.sql", "orders_count < 1", "orders_cuont < 1");
    project
}

#[test]
fn validate_reports_every_error_of_yaml_and_sql_at_once_with_its_place() {
    let done = broken().call("validate", &[]).ends_with(2);
    assert_eq!(done.stdout, "", "findings are no data");
    for place in [
        "pipeline.yaml:2:12: ",
        "sources/crm.contacts.sql:6:3: ",
        "models/regulars.sql:4:40: ",
        "audits/order_counts_positive.sql:3:45: ",
    ] {
        assert!(done.stderr.contains(place), "{place} is not in:\n{}", done.stderr);
    }
    assert!(done.stderr.contains("hint:"), "{}", done.stderr);
}

#[test]
fn validate_gives_its_findings_as_json_and_nothing_else_on_stdout() {
    let done = broken().call("validate", &["--format", "json"]).ends_with(2);
    let error = &done.json()["error"];
    assert_eq!((error["kind"].as_str(), error["exit_code"].as_u64()), (Some("config"), Some(2)));
    let findings = error["findings"].as_array().expect("findings");
    assert!(findings.len() >= 4, "{findings:?}");
    let schema = schema("diagnostic");
    for finding in findings {
        assert_eq!(breaches(&schema, finding), Vec::<String>::new());
        assert!(
            finding["line"].as_u64() > Some(0) && finding["column"].as_u64() > Some(0),
            "{finding}"
        );
    }
    let sound = Project::small().call("validate", &["--format", "json"]).ends_with(0);
    assert_eq!(sound.json()["valid"], true);
    assert_eq!(breaches(&self::schema("validate"), &sound.json()), Vec::<String>::new());
}

#[test]
fn a_column_that_mixes_formats_is_read_by_case_without_rejects() {
    let project = Project::small();
    project.edit(
        "sources/crm.contacts.sql",
        "parse_date(\"Born\", 'dd.mm.yyyy')",
        "CASE WHEN \"Born\" LIKE '%.%' THEN parse_date(\"Born\", 'dd.mm.yyyy') ELSE parse_date(\"Born\", 'yyyy-mm-dd') END",
    );
    project.append("exports/crm.csv", "C-900;K900;;Neu;Dazugekommen;;;1971-02-03;;;;01.03.2026");
    project.run(&[]);
    let contacts = project.table("contacts");
    let born = |id: &str| {
        let contact = contacts.iter().find(|contact| contact["record_id"] == id).expect("a contact");
        contact["birth_date"].clone()
    };
    assert_eq!((born("C-900"), born("C-001")), ("1971-02-03".to_owned(), "1951-02-02".to_owned()));
    assert_eq!(project.table("rejects"), []);
}
