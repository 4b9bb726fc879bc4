//! `stammkunde test`: the test cases of the SQL models.

use clap::Args;
use stammkunde::engine::Engine;
use stammkunde::model::{self, CaseResult};
use stammkunde::{Error, Result};

use super::Project;
use super::output::Output;

/// Options of `test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    #[command(flatten)]
    project: Project,
}

/// Runs the cases; exit code 1 if one differs.
pub fn test(args: &TestArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let spec = args.project.load()?;
    let results = model::test(engine, &spec)?;
    output.result(&results, |results| {
        let mut text = String::new();
        for CaseResult { case, table, differences } in results {
            text += &format!("{} {case} {table}\n", if differences.is_empty() { "ok  " } else { "FAIL" });
            text.extend(differences.iter().map(|difference| format!("       {difference}\n")));
        }
        let failed = results.iter().filter(|result| !result.differences.is_empty()).count();
        text + &format!("{} passed, {failed} failed\n", results.len() - failed)
    })?;
    if results.iter().any(|result| !result.differences.is_empty()) {
        return Err(Error::gate("a test case of the models differs").hint("mend the model, or the expectation if it was wrong"));
    }
    Ok(0)
}
