//! `stammkunde init`: a new project that runs as it is.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use stammkunde::Result;
use stammkunde::config::scaffold;

use super::output::Output;

/// Options of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Folder to write; files that exist are never overwritten.
    folder: PathBuf,
}

#[derive(Serialize)]
struct Written {
    folder: String,
    files: Vec<String>,
}

/// Writes the scaffold.
pub fn init(args: &InitArgs, output: &Output) -> Result<u8> {
    let files = scaffold::write(&args.folder)?;
    let written = Written {
        folder: args.folder.display().to_string(),
        files,
    };
    output.result(&written, |written| {
        let mut text: String = written.files.iter().map(|file| format!("  {}/{file}\n", written.folder)).collect();
        text += &format!(
            "\nnext: export STAMMKUNDE_KEY_SECRET=<16 or more characters>, then: stammkunde run {}\n",
            written.folder
        );
        text
    })?;
    Ok(0)
}
