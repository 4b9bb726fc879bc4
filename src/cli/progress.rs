//! Shows where a run is: a bar on a terminal, plain lines elsewhere, JSON lines with `--log-format json`.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use stammkunde::report::StageTime;
use stammkunde::run::Progress;

use super::output::Output;

/// Stages of a run, for the length of the bar.
const STAGES: [&str; 12] = [
    "plan",
    "source",
    "standardize",
    "block",
    "train",
    "score",
    "cluster",
    "key",
    "profile",
    "model",
    "audit",
    "publish",
];

/// Listens to a run for the command line.
pub struct Shown<'a> {
    output: &'a Output,
    run_id: String,
    bar: Option<ProgressBar>,
}

impl<'a> Shown<'a> {
    /// For a run of that id.
    pub fn new(output: &'a Output, run_id: &str) -> Self {
        let bar = output.is_interactive().then(|| {
            let bar = ProgressBar::new(STAGES.len() as u64);
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg} {elapsed}").expect("the template is constant and tested");
            bar.set_style(style);
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self {
            output,
            run_id: run_id.to_owned(),
            bar,
        }
    }

    fn fields(&self, stage: &str) -> serde_json::Map<String, serde_json::Value> {
        let mut fields = serde_json::Map::new();
        fields.insert("run_id".to_owned(), self.run_id.clone().into());
        fields.insert("stage".to_owned(), stage.into());
        fields
    }
}

impl Progress for Shown<'_> {
    fn started(&self, stage: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_position(STAGES.iter().position(|name| *name == stage).unwrap_or(0) as u64);
                bar.set_message(stage.to_owned());
            }
            None if self.output.is_json_log() => self.output.message("stage_started", stage, &self.fields(stage)),
            None => {}
        }
    }

    fn finished(&self, time: &StageTime) {
        if self.bar.is_none() {
            let mut fields = self.fields(&time.stage);
            fields.insert("elapsed_ms".to_owned(), time.elapsed_ms.into());
            fields.insert("cpu_ms".to_owned(), time.cpu_ms.into());
            let text = format!("{:<12} {:>8.2} s", time.stage, time.elapsed_ms as f64 / 1000.0);
            self.output.message("stage_finished", &text, &fields);
        }
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
