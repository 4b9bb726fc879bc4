//! `stammkunde schema`: JSON Schemas of the config and of everything that `--format json` prints.

use clap::{Args, ValueEnum};
use schemars::schema_for;
use stammkunde::error::Diagnostic;
use stammkunde::evaluate::EvaluationReport;
use stammkunde::explain::Explanation;
use stammkunde::model::CaseResult;
use stammkunde::plan::PlanReport;
use stammkunde::privacy::{ErasureReport, PersonExport, Receipt, SuppressionChange, SuppressionReport};
use stammkunde::publish::Manifest;
use stammkunde::report::{ResolveReport, RunReport};
use stammkunde::score::{Model, ModelDifference, ModelFile, ModelSummary};
use stammkunde::{Result, config};

use super::output::{Output, write_stdout};

/// Options of `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Which schema.
    #[arg(value_enum)]
    name: SchemaName,
}

/// Documents that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SchemaName {
    /// pipeline.yaml
    Pipeline,
    /// plan, run --dry-run
    Plan,
    /// run
    Run,
    /// resolve
    Resolve,
    /// validate, when the project is sound
    Validate,
    /// one finding of an error
    Diagnostic,
    /// test
    Test,
    /// explain
    Explain,
    /// evaluate
    Evaluate,
    /// versions (a list of these), and versions/<n>.json
    Version,
    /// the trained model in the state of a version
    Model,
    /// model export, and what run --model reads
    ModelFile,
    /// model show
    ModelShow,
    /// model diff
    ModelDiff,
    /// privacy export
    PrivacyExport,
    /// privacy erase
    PrivacyErase,
    /// receipts/<run id>.json
    PrivacyReceipt,
    /// privacy suppress, privacy unsuppress
    PrivacySuppress,
    /// privacy list
    PrivacyList,
    /// demo
    Demo,
}

/// Prints a schema.
pub fn schema(args: &SchemaArgs, _output: &Output) -> Result<u8> {
    let schema = match args.name {
        SchemaName::Pipeline => config::json_schema(),
        SchemaName::Plan => schema_for!(PlanReport).into(),
        SchemaName::Run => schema_for!(RunReport).into(),
        SchemaName::Resolve => schema_for!(ResolveReport).into(),
        SchemaName::Validate => schema_for!(super::validate::ValidateReport).into(),
        SchemaName::Diagnostic => schema_for!(Diagnostic).into(),
        SchemaName::Test => schema_for!(Vec<CaseResult>).into(),
        SchemaName::Explain => schema_for!(Explanation).into(),
        SchemaName::Evaluate => schema_for!(EvaluationReport).into(),
        SchemaName::Version => schema_for!(Manifest).into(),
        SchemaName::Model => schema_for!(Model).into(),
        SchemaName::ModelFile => schema_for!(ModelFile).into(),
        SchemaName::ModelShow => schema_for!(ModelSummary).into(),
        SchemaName::ModelDiff => schema_for!(ModelDifference).into(),
        SchemaName::PrivacyExport => schema_for!(PersonExport).into(),
        SchemaName::PrivacyErase => schema_for!(ErasureReport).into(),
        SchemaName::PrivacyReceipt => schema_for!(Receipt).into(),
        SchemaName::PrivacySuppress => schema_for!(SuppressionChange).into(),
        SchemaName::PrivacyList => schema_for!(SuppressionReport).into(),
        SchemaName::Demo => schema_for!(super::demo::DemoReport).into(),
    };
    write_stdout(&format!("{schema:#}\n"))?;
    Ok(0)
}
