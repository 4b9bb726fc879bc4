//! `stammkunde evaluate`: how good the newest version is, against labels or without any.

use std::path::PathBuf;

use clap::Args;
use stammkunde::Result;
use stammkunde::engine::Engine;
use stammkunde::evaluate::{
    self, CLUSTER, EvaluateOptions, EvaluationReport, IS_MATCH, LabelFile, LabelKind, LabeledQuality, LabeledReport, Quality,
    ThresholdQuality, UnlabeledReport, WrongPair,
};
use stammkunde::table::column::RECORD_ID;

use super::Project;
use super::explain::pair_text;
use super::output::{Output, count, table};

/// Options of `evaluate`.
#[derive(Debug, Args)]
#[command(
    after_help = "Labels are CSV (UTF-8, commas, a header row) or Parquet. Either one record a row: record_id, source (optional if ids are \
unique) and cluster, equal for the records of one person. Or one pair a row: left_record_id, right_record_id, left_source and right_source \
(optional), and is_match with 1 or 0. Without --labels quality is estimated from the model, and signs of over-merging are counted."
)]
pub struct EvaluateArgs {
    #[command(flatten)]
    project: Project,
    /// File with the truth: CSV or Parquet.
    #[arg(long, value_name = "FILE", env = "STAMMKUNDE_LABELS")]
    labels: Option<PathBuf>,
    /// Column of the record id in the labels.
    #[arg(long, value_name = "COLUMN", default_value = RECORD_ID, env = "STAMMKUNDE_ID")]
    id: String,
    /// Column of the source in the labels. Default: `source`, if it names sources of the project; else record ids have to be unique.
    #[arg(long, value_name = "COLUMN", env = "STAMMKUNDE_SOURCE")]
    source: Option<String>,
    /// Column of the labels that is equal for the records of one person.
    #[arg(long, value_name = "COLUMN", default_value = CLUSTER, env = "STAMMKUNDE_CLUSTER")]
    cluster: String,
    /// Column of the verdict in labels of pairs.
    #[arg(long, value_name = "COLUMN", default_value = IS_MATCH, env = "STAMMKUNDE_IS_MATCH")]
    is_match: String,
    /// Errors of each kind that are shown with their match weights, and customers with most signs of over-merging.
    #[arg(long, value_name = "N", default_value_t = 3, env = "STAMMKUNDE_EXAMPLES")]
    examples: usize,
    /// Without labels: customers of more records than this are a sign of over-merging.
    #[arg(long, value_name = "N", default_value_t = 20, env = "STAMMKUNDE_RECORDS_MAX")]
    records_max: u64,
    /// Show values of people as they are, not masked.
    #[arg(long, env = "STAMMKUNDE_SHOW_PII")]
    show_pii: bool,
}

/// Evaluates.
pub fn evaluate(args: &EvaluateArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let spec = args.project.load()?;
    let options = EvaluateOptions {
        labels: args.labels.clone().map(|path| LabelFile {
            path,
            id: args.id.clone(),
            source: args.source.clone(),
            cluster: args.cluster.clone(),
            is_match: args.is_match.clone(),
        }),
        examples: args.examples,
        records_max: args.records_max,
        show_pii: args.show_pii,
    };
    let report = evaluate::report(engine, &spec, &options)?;
    output.result(&report, text)?;
    Ok(0)
}

fn text(report: &EvaluationReport) -> String {
    let mut text = format!(
        "version {}: {} records are {} customers; threshold {:.2} bits\n",
        report.version,
        count(report.records),
        count(report.customers),
        report.threshold_weight
    );
    if let Some(labeled) = &report.labeled {
        text += &labeled_text(labeled);
    }
    if let Some(unlabeled) = &report.unlabeled {
        text += &unlabeled_text(unlabeled);
    }
    text
}

fn labeled_text(labeled: &LabeledReport) -> String {
    let quality = &labeled.quality;
    let labels = &quality.labels;
    let kind = match labels.kind {
        LabelKind::Clusters => "records",
        LabelKind::Pairs => "pairs",
    };
    let mut text = format!(
        "\nlabels: {} {kind}, {} of them used; the version lacks {} labeled records, {} of its records have no label\n\n",
        count(labels.labels),
        count(labels.labels_used),
        count(labels.records_lacking),
        count(labels.records_unlabeled)
    );
    text += &metrics_text(quality);
    text += "\nby threshold (bits of match weight; > marks the current one):\n";
    text += &thresholds_text(&quality.thresholds);
    let wrong: Vec<Vec<String>> = quality
        .rules
        .iter()
        .filter(|rule| rule.wrong > 0)
        .take(8)
        .map(|rule| {
            vec![
                rule.rule.clone(),
                count(rule.links),
                count(rule.wrong),
                format!("{:.4}", rule.precision),
            ]
        })
        .collect();
    if !wrong.is_empty() {
        text += "\nlinks between different people, by the rule that found them:\n";
        text += &table(&["rule", "links", "wrong", "precision"], &wrong);
    }
    if !quality.misses.is_empty() {
        text += &format!("\nwhy {} pairs of one person were missed:\n", count(quality.misses_looked_at));
        let rows: Vec<Vec<String>> = quality
            .misses
            .iter()
            .map(|miss| vec![miss.reason.clone(), count(miss.pairs), count(miss.pairs_above_threshold)])
            .collect();
        text += &table(&["reason", "pairs", "of them above the threshold"], &rows);
    }
    text += &examples_text("customers hold several people", labeled.customers_wrong, &labeled.false_positives);
    text + &examples_text(
        "pairs of customers are one person",
        labeled.customer_pairs_missed,
        &labeled.false_negatives,
    )
}

fn metrics_text(quality: &LabeledQuality) -> String {
    let row = |name: &str, quality: &Quality| {
        let number = |value: f64| format!("{value:.4}");
        vec![
            name.to_owned(),
            number(quality.precision),
            number(quality.recall),
            number(quality.f1),
        ]
    };
    let mut rows = vec![row("links", &quality.links), row("pairs", &quality.pairs)];
    rows.extend(quality.b_cubed.as_ref().map(|quality| row("B-cubed", quality)));
    rows.extend(quality.clusters.as_ref().map(|quality| row("whole customers", quality)));
    let mut text = table(&["", "precision", "recall", "F1"], &rows);
    if quality.people > 0 {
        text += &format!("  {} people are {} customers\n", count(quality.people), count(quality.customers));
    }
    text
}

fn thresholds_text(thresholds: &[ThresholdQuality]) -> String {
    let number = |value: f64| format!("{value:.4}");
    // Far above the current threshold nothing is left that anyone would choose; JSON has every row.
    let current = thresholds.iter().find(|row| row.is_current).map_or(0.0, |row| row.pairs.recall);
    let rows: Vec<Vec<String>> = thresholds
        .iter()
        .filter(|row| row.pairs.recall >= current / 2.0)
        .map(|row| {
            vec![
                if row.is_current { ">" } else { "" }.to_owned(),
                format!("{:.2}", row.match_weight),
                format!("{:.6}", row.match_probability),
                count(row.customers),
                number(row.links.precision),
                number(row.links.recall),
                number(row.pairs.precision),
                number(row.pairs.recall),
                number(row.pairs.f1),
            ]
        })
        .collect();
    let headers = [
        "",
        "weight",
        "probability",
        "customers",
        "links precision",
        "recall",
        "pairs precision",
        "recall",
        "F1",
    ];
    table(&headers, &rows)
}

fn examples_text(what: &str, all: u64, examples: &[WrongPair]) -> String {
    if examples.is_empty() {
        return format!("\n{} {what}\n", count(all));
    }
    let mut text = format!("\n{} {what}; the worst {}:\n", count(all), examples.len());
    for example in examples {
        text.push('\n');
        if let Some(reason) = &example.why_not {
            text += &format!("why not: {}\n", reason.replace('_', " "));
        }
        text += &pair_text(&example.explanation);
    }
    text
}

fn unlabeled_text(unlabeled: &UnlabeledReport) -> String {
    let estimate = &unlabeled.estimate;
    let whole = |expected: f64| format!("{expected:.0}");
    let mut text = format!(
        "\nestimated from the model, without labels (see `stammkunde schema evaluate` for what each number is):\n  \
         links  precision {:.4} ({} links)\n  \
         pairs  precision {:.4}  recall {:.4}  F1 {:.4} ({} pairs in customers)\n",
        estimate.links_precision,
        count(estimate.links),
        estimate.quality.precision,
        estimate.quality.recall,
        estimate.quality.f1,
        count(estimate.pairs)
    );
    let rows = [
        ("in one customer", estimate.found),
        ("apart: refused by a constraint", estimate.missed_refused),
        ("apart: possible links", estimate.missed_possible),
        ("apart: below the possible threshold", estimate.missed_below),
        ("never compared, at least", estimate.missed_not_compared_min),
        ("all, by the prior of the model", estimate.true_pairs_by_prior),
    ];
    let rows: Vec<Vec<String>> = rows.iter().map(|(name, pairs)| vec![(*name).to_owned(), whole(*pairs)]).collect();
    text += "\nexpected true pairs:\n";
    text += &table(&["where", "pairs"], &rows);
    let unlinkable = &unlabeled.unlinkable;
    text += &format!(
        "\nrecords that say too little to be linked to anything: {} ({:.2} %)\n",
        count(unlinkable.records),
        100.0 * unlinkable.share
    );
    text += "\ncustomers by number of records:\n";
    let sizes: Vec<Vec<String>> = ranges(unlabeled)
        .into_iter()
        .map(|(range, customers)| vec![range, count(customers)])
        .collect();
    text += &table(&["records", "customers"], &sizes);
    text += "\nsigns of over-merging:\n";
    let conflicts: Vec<Vec<String>> = unlabeled
        .conflicts
        .iter()
        .map(|conflict| {
            vec![
                format!("more than {} {}", conflict.more_than, plural(&conflict.of, conflict.more_than)),
                count(conflict.customers),
                format!("{:.3} %", 100.0 * conflict.share),
                format!("{:.3} %", 100.0 * conflict.share_of_merged),
            ]
        })
        .collect();
    text += &table(&["sign", "customers", "of all", "of those with several records"], &conflicts);
    if !unlabeled.suspects.is_empty() {
        text += "\nmost signs (look at them with `stammkunde explain`):\n";
        let suspects: Vec<Vec<String>> = unlabeled
            .suspects
            .iter()
            .map(|suspect| {
                let values: Vec<String> = suspect.values.iter().map(|(name, values)| format!("{values} {name}")).collect();
                vec![suspect.customer_key.clone(), count(suspect.records), values.join(", ")]
            })
            .collect();
        text += &table(&["customer", "records", "distinct values"], &suspects);
    }
    text
}

/// `birth_date` as people say it.
fn plural(column: &str, number: u64) -> String {
    let name = column.replace('_', " ");
    if number == 1 || name.ends_with('s') { name } else { name + "s" }
}

/// Sizes 1 to 5 each, then ranges that double.
fn ranges(unlabeled: &UnlabeledReport) -> Vec<(String, u64)> {
    let mut ranges: Vec<(u64, u64, u64)> = (1..=5).map(|size| (size, size, 0)).collect();
    for size in &unlabeled.sizes {
        while ranges.last().is_some_and(|(_, to, _)| *to < size.records) {
            let from = ranges.last().map_or(1, |(_, to, _)| to + 1);
            ranges.push((from, if from == 6 { 10 } else { 2 * (from - 1) }, 0));
        }
        let range = ranges.iter_mut().find(|(_, to, _)| size.records <= *to);
        range.expect("ranges were added up to this size").2 += size.customers;
    }
    ranges
        .into_iter()
        .filter(|(_, _, customers)| *customers > 0)
        .map(|(from, to, customers)| (if from == to { from.to_string() } else { format!("{from} to {to}") }, customers))
        .collect()
}
