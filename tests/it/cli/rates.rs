//! Orders in other currencies: converted by a file of rates, or the run ends and says which rates it lacks.

use super::support::{AS_OF, Project, Row, call, stammkunde};

const RATES: &str = "sources/bank.exchange_rates.sql";

#[test]
fn a_missing_rate_ends_the_run_and_names_currency_days_and_what_to_do() {
    let project = Project::demo();
    project.edit(RATES, "SELECT \"Date\" AS day, 'GBP'", "SELECT \"Date\" AS day, 'DKK'");
    let before = project.manifests().len();
    let done = project.call("run", &["--as-of", AS_OF]).ends_with(1);
    assert!(
        done.stderr.contains("order_facts_rates (1 rows); currency = GBP, from_date = 20"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr
            .contains("hint: map a file of rates in `sources/<source>.exchange_rates.sql`"),
        "{}",
        done.stderr
    );
    assert_eq!(project.manifests().len(), before, "nothing is published");
}

#[test]
fn rates_are_published_without_people_and_stay_when_somebody_is_erased() {
    let project = Project::demo();
    let rates = project.table("exchange_rates");
    assert!(rates.len() > 2_000 && rates.iter().all(|row| !row.contains_key("customer_key")));
    let facts = project.table("order_facts");
    let foreign: Vec<_> = facts.iter().filter(|row| row["currency_code"] == "GBP").collect();
    assert!(foreign.len() > 10, "{}", foreign.len());
    for row in foreign.iter().filter(|row| row["is_order"] == "true") {
        let [charged, rate, gross] = ["charged", "exchange_rate", "gross"].map(|name| row[name].parse::<f64>().expect("a number"));
        assert!((1.0..1.5).contains(&rate) && (charged * rate - gross).abs() < 0.000_06, "{row:?}");
    }
    let erased = &project.table("identities")[0];
    let person = format!("{}:{}", erased["source"], erased["record_id"]);
    let mut command = stammkunde();
    command.args(["privacy", "erase"]).arg(project.path()).args([&person, "--yes"]);
    call(&mut command).ends_with(0);
    assert_eq!(project.table("exchange_rates"), rates);
    let is_theirs = |row: &Row| row.get("customer_key") == Some(&erased["customer_key"]);
    assert!(facts.len() >= project.table("order_facts").len() && !project.table("order_facts").iter().any(is_theirs));
}
