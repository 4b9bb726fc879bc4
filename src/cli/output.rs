//! Where everything is printed: data to stdout, messages to stderr; plain text or JSON lines.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use stammkunde::error::scrub;
use stammkunde::{Error, Result};

use super::{Format, Global};

/// stderr for the logs of libraries, which know nothing of secrets. A line comes in one piece.
struct Scrubbed;

impl Write for Scrubbed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        std::io::stderr().write_all(scrub(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

/// What a command writes to. Clones are the same.
#[derive(Clone)]
pub struct Output {
    format: Format,
    log_format: Format,
    quiet: bool,
    run_id: Arc<OnceLock<String>>,
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    kind: &'a str,
    exit_code: u8,
    message: Cow<'a, str>,
    context: Vec<(&'a str, Cow<'a, str>)>,
    cause: Option<String>,
    hint: Option<&'a str>,
    findings: &'a [stammkunde::error::Diagnostic],
    gates: &'a [stammkunde::error::GateResult],
}

impl Output {
    /// Takes the global options; sets up the log of the libraries underneath.
    pub fn new(global: &Global) -> Self {
        let level = match global.verbose {
            0 => tracing::Level::ERROR,
            1 => tracing::Level::WARN,
            2 => tracing::Level::INFO,
            _ => tracing::Level::DEBUG,
        };
        let log = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(|| Scrubbed)
            .with_ansi(colors());
        match global.log_format {
            _ if global.quiet => {}
            Format::Text => log.init(),
            Format::Json => log.json().init(),
        }
        Self {
            format: global.format,
            log_format: global.log_format,
            quiet: global.quiet,
            run_id: Arc::default(),
        }
    }

    /// From now on every JSON line on stderr names this run.
    pub fn name_run(&self, run_id: &str) {
        // A process is one run; a second name would be a mistake of ours, and the first one stays.
        let _ = self.run_id.set(run_id.to_owned());
    }

    /// Whether stdout carries JSON.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether a progress bar may be drawn: a terminal that reads plain text.
    pub fn is_interactive(&self) -> bool {
        !self.quiet && self.log_format == Format::Text && std::io::stderr().is_terminal()
    }

    /// Whether stderr carries JSON lines.
    pub fn is_json_log(&self) -> bool {
        self.log_format == Format::Json
    }

    /// Prints a result: as JSON, or as the text that `text` gives.
    pub fn result<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        write_stdout(&self.rendered(value, text)?)
    }

    /// A result as [`Output::result`] prints it.
    pub fn rendered<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> Result<String> {
        Ok(match self.format {
            Format::Json => {
                let json = serde_json::to_string_pretty(value);
                json.map_err(|error| Error::internal("a result does not fit JSON").because(error))? + "\n"
            }
            Format::Text => text(value),
        })
    }

    /// Prints a message for people to stderr, with fields for programs.
    pub fn message(&self, event: &str, text: &str, fields: &serde_json::Map<String, serde_json::Value>) {
        if self.quiet {
            return;
        }
        match self.log_format {
            Format::Text => say(text),
            Format::Json => self.log("info", event, text, fields),
        }
    }

    fn log(&self, level: &str, event: &str, text: &str, fields: &serde_json::Map<String, serde_json::Value>) {
        let mut line = serde_json::Map::new();
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        for (key, value) in [("time", now.as_str()), ("level", level), ("event", event), ("message", text)] {
            line.insert(key.to_owned(), value.into());
        }
        if let Some(run_id) = self.run_id.get() {
            line.insert("run_id".to_owned(), run_id.clone().into());
        }
        line.extend(fields.iter().map(|(key, value)| (key.clone(), value.clone())));
        say(&serde_json::Value::Object(line).to_string());
    }

    /// Says that a signal ends the program.
    pub fn stopped(&self, exit_code: i32) {
        let text = "stopped by a signal; versions that are published stay as they are";
        match self.log_format {
            Format::Json => {
                let fields = serde_json::Map::from_iter([("exit_code".to_owned(), exit_code.into())]);
                self.log("error", "stopped", text, &fields);
            }
            // The bar has left the cursor in its line.
            Format::Text if self.is_interactive() => say(&format!("\n{text}")),
            Format::Text => say(text),
        }
    }

    /// Prints an error: to stderr for people, and to stdout as JSON if results are JSON.
    pub fn error(&self, error: &Error) {
        if self.is_json() {
            let text = serde_json::json!({ "error": error_json(error) });
            // Nothing can be told any more if stdout is gone; the exit code still is.
            let _ = writeln!(std::io::stdout(), "{text:#}");
        }
        self.complain(error);
    }

    /// Prints an error to stderr alone: what stdout has to say was said.
    pub fn complain(&self, error: &Error) {
        match self.log_format {
            Format::Json => {
                let fields = serde_json::to_value(error_json(error))
                    .ok()
                    .and_then(|value| value.as_object().cloned())
                    .unwrap_or_default();
                self.log("error", "error", &error.to_string(), &fields);
            }
            Format::Text => {
                for finding in error.findings() {
                    say(&finding.to_string());
                }
                for gate in error.gates() {
                    say(&gate.text());
                }
                say(&format!("{} {error}", paint("error:", "1;31")));
                if let Some(hint) = error.hint_text() {
                    say(&format!("  {} {hint}", paint("hint:", "1;36")));
                }
            }
        }
    }
}

fn error_json(error: &Error) -> ErrorJson<'_> {
    ErrorJson {
        kind: error.kind().name(),
        exit_code: error.kind().exit_code(),
        message: scrub(error.message()),
        context: error.context().iter().map(|(key, value)| (*key, scrub(value))).collect(),
        cause: std::error::Error::source(error).map(|cause| scrub(&cause.to_string()).into_owned()),
        hint: error.hint_text(),
        findings: error.findings(),
        gates: error.gates(),
    }
}

/// Writes a line to stderr. Who closed it does not want to read it: no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Writes to stdout; a closed pipe (`| head`) ends the program quietly.
pub fn write_stdout(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Error::environment("cannot write to stdout").because(error)),
        Ok(()) => Ok(()),
    }
}

/// Writes a page for people; one that is there is replaced.
pub fn write_page(path: &Path, page: &str) -> Result<()> {
    std::fs::write(path, page).map_err(|error| {
        Error::environment("the page cannot be written")
            .with("file", path.display().to_string())
            .because(error)
    })
}

/// Makes a folder that only this user may enter; one that is there stays as it is.
pub fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a file that only this user may read.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    private(std::fs::OpenOptions::new().create(true).truncate(true))
        .open(path)?
        .write_all(text.as_bytes())
}

/// Opens a file that was not there, which only this user may read.
pub fn new_private_file(path: &Path) -> std::io::Result<std::fs::File> {
    private(std::fs::OpenOptions::new().create_new(true)).open(path)
}

fn private(options: &mut std::fs::OpenOptions) -> &mut std::fs::OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.write(true)
}

fn colors() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && std::io::stderr().is_terminal()
}

fn paint(text: &str, code: &str) -> String {
    if colors() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// `1024`, `512MiB`, `4GiB`, `2G`; powers of 1024.
pub fn parse_size(text: &str) -> std::result::Result<u64, String> {
    let number: String = text.chars().take_while(char::is_ascii_digit).collect();
    let shift = match text[number.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        unit => return Err(format!("`{unit}` is no unit; use B, KiB, MiB, GiB or TiB")),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "a size starts with a whole number, e.g. 4GiB".to_owned())?;
    number
        .checked_mul(1 << shift)
        .filter(|&bytes| bytes > 0)
        .ok_or_else(|| "the size must be above 0 and fit 64 bits".to_owned())
}

/// Bytes as people read them.
pub fn bytes(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} B")
    } else {
        format!("{value:.1} {}", units[unit])
    }
}

/// A whole number with thousands separated by commas.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A table for a terminal: headers, rows; numbers (cells that begin with a digit) right-aligned.
pub fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = headers.iter().map(|header| header.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>, numbers: bool| {
        let mut out = String::from(" ");
        for (cell, &width) in cells.iter().zip(&widths) {
            let right = numbers && cell.starts_with(|c: char| c.is_ascii_digit() || c == '-');
            out += &if right {
                format!(" {cell:>width$}")
            } else {
                format!(" {cell:<width$}")
            };
        }
        out.trim_end().to_owned() + "\n"
    };
    let mut out = line(headers.to_vec(), false);
    for row in rows {
        out += &line(row.iter().map(String::as_str).collect(), true);
    }
    out
}
