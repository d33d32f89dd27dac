//! Every chore of the workspace as one command: `cargo xtask --help`.

mod archives;
mod bench;
mod conformance;
mod deny;
mod difference;
mod fuzz;
mod golden;
mod ours;
mod outcome;
mod paths;
mod peer;
mod programs;
mod record;
mod run;
mod test;
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
    /// Check that testdata/archives is what the suite makes of it, or write it anew
    Archives(archives::Options),
    /// Check that everything is as Go's own reader has it
    Conformance(conformance::Options),
    /// Measure against Go's own reader, or count instructions
    Bench(bench::Options),
    /// Run the fuzz targets, and say what they found
    Fuzz(fuzz::Options),
    /// Everything that must pass: fmt, clippy, tests, docs, cargo-deny, conformance, instructions
    Test,
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Record(options) => record::main(&options),
        Command::Archives(options) => archives::main(&options),
        Command::Conformance(options) => conformance::main(&options),
        Command::Bench(options) => bench::main(&options),
        Command::Fuzz(options) => fuzz::main(&options),
        Command::Test => test::main(),
    }
}
