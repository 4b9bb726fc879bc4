//! `stammkunde schema`: JSON Schemas of the config and of everything that `--format json` prints, and the reference of SQL functions.

use clap::{Args, ValueEnum};
use schemars::schema_for;
use stammkunde::audience::AudienceReport;
use stammkunde::engine::functions;
use stammkunde::error::{Diagnostic, GateResult};
use stammkunde::evaluate::EvaluationReport;
use stammkunde::explain::Explanation;
use stammkunde::model::CaseResult;
use stammkunde::plan::PlanReport;
use stammkunde::privacy::{ErasureReport, PersonExport, Receipt, SuppressionChange, SuppressionReport};
use stammkunde::publish::{CleanupReport, Manifest, RollbackReport};
use stammkunde::report::{ResolveReport, RunReport};
use stammkunde::review::ReviewReport;
use stammkunde::score::{Model, ModelDifference, ModelFile, ModelSummary};
use stammkunde::versions::{VersionDifference, VersionSummary};
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
    /// functions of SQL: a reference in Markdown
    Functions,
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
    /// one gate: of an error, a run, a plan
    Gate,
    /// test
    Test,
    /// explain
    Explain,
    /// evaluate
    Evaluate,
    /// review
    Review,
    /// audience
    Audience,
    /// versions/<n>.json
    Version,
    /// versions list (a list of these)
    Versions,
    /// versions diff
    VersionsDiff,
    /// versions rollback
    VersionsRollback,
    /// versions cleanup
    VersionsCleanup,
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
        SchemaName::Functions => {
            write_stdout(&functions::reference())?;
            return Ok(0);
        }
        SchemaName::Pipeline => config::json_schema(),
        SchemaName::Plan => schema_for!(PlanReport).into(),
        SchemaName::Run => schema_for!(RunReport).into(),
        SchemaName::Resolve => schema_for!(ResolveReport).into(),
        SchemaName::Validate => schema_for!(super::validate::ValidateReport).into(),
        SchemaName::Diagnostic => schema_for!(Diagnostic).into(),
        SchemaName::Gate => schema_for!(GateResult).into(),
        SchemaName::Test => schema_for!(Vec<CaseResult>).into(),
        SchemaName::Explain => schema_for!(Explanation).into(),
        SchemaName::Evaluate => schema_for!(EvaluationReport).into(),
        SchemaName::Review => schema_for!(ReviewReport).into(),
        SchemaName::Audience => schema_for!(AudienceReport).into(),
        SchemaName::Version => schema_for!(Manifest).into(),
        SchemaName::Versions => schema_for!(VersionSummary).into(),
        SchemaName::VersionsDiff => schema_for!(VersionDifference).into(),
        SchemaName::VersionsRollback => schema_for!(RollbackReport).into(),
        SchemaName::VersionsCleanup => schema_for!(CleanupReport).into(),
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
