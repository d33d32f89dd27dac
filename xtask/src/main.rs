//! Every chore of the workspace as one command: `cargo xtask --help`.

mod golden;
mod paths;
mod peer;
mod programs;
mod record;
mod run;
mod toolchain;

use clap::{Parser, Subcommand};

/// Every chore of the workspace as one command.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Record the traces of testdata/traces anew, and what the reference says about them
    Record(record::Options),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Record(options) => record::main(&options),
    }
}
