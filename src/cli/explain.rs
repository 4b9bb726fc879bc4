//! `stammkunde explain`: which customer, why, from which records; or the match-weight sum of one pair.

use std::path::PathBuf;

use clap::Args;
use stammkunde::Result;
use stammkunde::engine::Engine;
use stammkunde::explain::{self, Conflict, CustomerExplanation, ExplainedLink, Explanation, HeldValue, PairExplanation, Reader};

use super::Project;
use super::output::{Output, table};

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Project folder: where pipeline.yaml is.
    project: PathBuf,
    /// A record as <source>:<record id>, or a customer key.
    subject: String,
    /// A second record: explain the pair.
    other: Option<String>,
    /// Show values of people as they are, not masked.
    #[arg(long, env = "STAMMKUNDE_SHOW_PII")]
    show_pii: bool,
    /// Use this warehouse (folder or URL) instead of the one in pipeline.yaml.
    #[arg(long, value_name = "DIR|URL", env = "STAMMKUNDE_WAREHOUSE")]
    warehouse: Option<String>,
}

/// Explains.
pub fn explain(args: &ExplainArgs, engine: &Engine, output: &Output) -> Result<u8> {
    // Three names in a row leave no room for a folder by default.
    let project = Project {
        project: args.project.clone(),
        warehouse: args.warehouse.clone(),
    };
    let spec = project.load()?;
    let reader = Reader::open(engine, &spec, args.show_pii)?;
    let subject = explain::subject(&spec, &args.subject);
    let explanation = match &args.other {
        Some(other) => Explanation::Pair(reader.pair(&subject, &explain::subject(&spec, other))?),
        None => Explanation::Customer(reader.customer(&subject)?),
    };
    output.result(&explanation, |explanation| match explanation {
        Explanation::Customer(customer) => customer_text(customer),
        Explanation::Pair(pair) => pair_text(pair),
    })?;
    Ok(0)
}

fn customer_text(customer: &CustomerExplanation) -> String {
    let mut text = format!("customer {} (version {})\n", customer.customer_key, customer.version);
    if let Some(old) = &customer.redirected_from {
        text += &format!("{old} was merged into it\n");
    }
    text += &format!("\n{} records:\n", customer.records.len());
    for record in &customer.records {
        let values: Vec<String> = record
            .values
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
            .collect();
        text += &format!("  {}:{}  {}\n", record.source, record.record_id, values.join(" "));
    }
    if !customer.links.is_empty() {
        let density = customer
            .density
            .map_or_else(String::new, |density| format!(", density {density:.2}"));
        text += &format!(
            "\nheld together by {} links, the weakest first{density}:\n{}",
            customer.links.len(),
            links_text(&customer.links)
        );
    }
    if let Some(bridge) = &customer.weakest_bridge {
        text += &format!(
            "\nweakest bridge: without {} - {} (weight {:.2}) it would fall into {} and {} records\n",
            bridge.link.left, bridge.link.right, bridge.link.match_weight, bridge.left_records, bridge.right_records
        );
    } else if customer.links.len() > 1 {
        text += "\nno bridge: without any one link it would still be one\n";
    }
    text += &conflicts_text(&customer.conflicts);
    if !customer.possible_links.is_empty() {
        text += &format!("\npossible links to other customers:\n{}", links_text(&customer.possible_links));
    }
    if !customer.events.is_empty() {
        text += "\nhistory of the key:\n";
        for event in &customer.events {
            let other = event.other_key.as_deref().map_or_else(String::new, |other| format!(" {other}"));
            let cause = event.cause.as_deref().map_or_else(String::new, |cause| format!(", {cause}"));
            text += &format!(
                "  {} {}{other} ({} records{cause})\n",
                event.run_id, event.event, event.records_count
            );
        }
    }
    text
}

fn conflicts_text(conflicts: &[Conflict]) -> String {
    if conflicts.is_empty() {
        return String::new();
    }
    let held = |held: &HeldValue| format!("{} ({})", held.value, held.records);
    let rows: Vec<Vec<String>> = conflicts
        .iter()
        .map(|conflict| {
            let values: Vec<String> = conflict.values.iter().map(held).collect();
            vec![conflict.field.clone(), conflict.values.len().to_string(), values.join(", ")]
        })
        .collect();
    format!(
        "\nfields with several values:\n{}",
        table(&["field", "values", "value (records)"], &rows)
    )
}

fn links_text(links: &[ExplainedLink]) -> String {
    let rows: Vec<Vec<String>> = links
        .iter()
        .map(|link| {
            vec![
                link.left.clone(),
                link.right.clone(),
                format!("{:.2}", link.match_weight),
                format!("{:.4}", link.match_probability),
                link.rule.clone(),
                link.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    table(&["left", "right", "weight", "probability", "rule", "reason"], &rows)
}

/// The match-weight sum of a pair, for people.
pub(super) fn pair_text(pair: &PairExplanation) -> String {
    let mut text = format!("{} and {} (version {}): {}\n\n", pair.left, pair.right, pair.version, pair.because);
    let joined = |values: &[Option<String>]| {
        values
            .iter()
            .map(|value| value.as_deref().unwrap_or("-"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut sum = pair.prior_weight;
    let mut rows = vec![vec![
        "prior".to_owned(),
        String::new(),
        format!("{:.2}", sum),
        format!("{:.2}", sum),
        String::new(),
        String::new(),
    ]];
    for compared in &pair.comparisons {
        let part = &compared.part;
        let own = part.weight + part.term_frequency_adjustment;
        sum += own;
        let level = if part.term_frequency_adjustment == 0.0 {
            part.level.clone()
        } else {
            format!("{} (term frequency {:+.2})", part.level, part.term_frequency_adjustment)
        };
        let (weight, sum) = (format!("{own:.2}"), format!("{sum:.2}"));
        rows.push(vec![
            part.comparison.clone(),
            level,
            weight,
            sum,
            joined(&compared.left),
            joined(&compared.right),
        ]);
    }
    text += &table(&["comparison", "level", "weight", "sum", "left", "right"], &rows);
    text += &format!(
        "\nmatch weight {:.2}, probability {:.4}; threshold {:.2}\n",
        pair.match_weight, pair.match_probability, pair.threshold_weight
    );
    let names = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join("; ") };
    text += &format!(
        "paired by: {}\nlinked by deterministic rules: {}\n",
        names(&pair.blocking_rules),
        names(&pair.deterministic_rules)
    );
    if !pair.generic_rules.is_empty() {
        text += &format!("ignored, because too many people share the value: {}\n", names(&pair.generic_rules));
    }
    if let Some(decision) = &pair.decision {
        text += &format!("decided by people: {decision}\n");
    }
    text + &format!("customers: {} and {}\n", pair.left_customer_key, pair.right_customer_key)
}
