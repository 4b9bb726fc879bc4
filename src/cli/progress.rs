//! Shows where a run is: a bar on a terminal, plain lines elsewhere, JSON lines with `--log-format json`.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use stammkunde::report::StageTime;
use stammkunde::run::Progress;

use super::output::Output;

/// Stages of a run, for the length of the bar.
const STAGES: [&str; 13] = [
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
    "write",
];

/// Listens to a run for the command line.
pub struct Shown<'a> {
    output: &'a Output,
    bar: Option<ProgressBar>,
}

impl<'a> Shown<'a> {
    /// For a run whose results go to `output`.
    pub fn new(output: &'a Output) -> Self {
        let bar = output.is_interactive().then(|| {
            let bar = ProgressBar::new(STAGES.len() as u64);
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg} {elapsed}").expect("the template is constant and tested");
            bar.set_style(style);
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { output, bar }
    }
}

fn fields(stage: &str) -> serde_json::Map<String, serde_json::Value> {
    serde_json::Map::from_iter([("stage".to_owned(), stage.into())])
}

impl Progress for Shown<'_> {
    fn started(&self, stage: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_position(STAGES.iter().position(|name| *name == stage).unwrap_or(0) as u64);
                bar.set_message(stage.to_owned());
            }
            None if self.output.is_json_log() => self.output.message("stage_started", stage, &fields(stage)),
            None => {}
        }
    }

    fn finished(&self, time: &StageTime) {
        if self.bar.is_none() {
            let mut fields = fields(&time.stage);
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
