//! `gotrail man`: manual pages, from the definitions of the arguments.

use crate::output::Output;
use crate::{Cli, Verdict};
use anyhow::{Context, Result};
use clap::CommandFactory;
use std::fs;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  gotrail man | man -l -
  gotrail man -o ~/.local/share/man/man1";

/// Print the manual page, or write one for each command.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Write all pages to this directory, which is made if need be.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let command = Cli::command();
    match &args.output {
        Some(dir) => {
            let name = dir.display();
            fs::create_dir_all(dir).with_context(|| format!("cannot make {name}"))?;
            clap_mangen::generate_to(command, dir)
                .with_context(|| format!("cannot write to {name}"))?;
        }
        None => {
            let mut output = Output::new();
            clap_mangen::Man::new(command).render(output.buffer())?;
            output.flush()?;
        }
    }
    Ok(Verdict::Fine)
}
