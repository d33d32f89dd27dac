//! `gotrail completions`: what a shell needs to complete our arguments.

use crate::output::Output;
use crate::{Cli, Verdict};
use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  gotrail completions bash > ~/.local/share/bash-completion/completions/gotrail
  gotrail completions zsh > ~/.zfunc/_gotrail
  gotrail completions fish > ~/.config/fish/completions/gotrail.fish";

/// Print the completions for a shell.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let mut output = Output::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "gotrail", output.buffer());
    output.flush()?;
    Ok(Verdict::Fine)
}
