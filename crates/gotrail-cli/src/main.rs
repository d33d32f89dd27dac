//! The `gotrail` command: Go execution traces, read fast and exactly.
//!
//! The binary is thin: a file for each command parses its arguments, calls the libraries and
//! prints. What is shared:
//!
//! | module | idea |
//! |---|---|
//! | `source` | a trace from a file or from standard input |
//! | `output` | large writes to standard output, a closed pipe is no error |
//! | `failure` | errors that say what, where and what next |
//! | `progress` | a bar for those who have to wait |
//! | `human` | numbers and units for people |
//! | `paint` | colours for terminals |
//! | `plot` | plots as SVG |
//! | `json` | JSON without allocations |
//! | `query` | which part of a trace an analysis is about, and the passes for it |
//! | `table` | answers as text, JSON and CSV |
//! | `profiles` | which profile of which part of a trace |
//! | `times` | times by state as cells |
//! | `absent` | what was asked for and is not in the trace |
//! | `causes` | explanations: times by kind, stacks, the tree of causes |
//! | `settings` | the rules of `check`, with what their user changed |
//! | `findings` | findings as text, JSON, and what CI reads |
//! | `checkout` | where a file that a trace names is here |
//! | `memory` | large blocks go back to the system at once |
//! | `target` | a file that appears when it is complete, compressed or not |

mod absent;
mod causes;
mod checkout;
mod commands;
mod failure;
mod findings;
mod fit;
mod human;
mod json;
mod memory;
mod output;
mod paint;
mod plot;
mod profiles;
mod progress;
mod query;
mod report;
mod settings;
mod source;
mod table;
mod target;
mod times;

use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  go test -trace=trace.out ./mypackage     record a trace
  gotrail info trace.out                   see what is in it
  gotrail dump parsed trace.out | less     read its events in order
  gotrail validate *.trace                 find the broken ones

Exit status: 0 if all is well; 1 if there is no answer, if info or validate find a trace broken, or
if check finds anything; 2 for wrong usage. Of a broken trace the other commands say on standard
error what was lost, and go on with the rest.";

/// Reads Go execution traces (Go 1.11 and later), fast and exactly as Go's own tools do.
///
/// Wherever a TRACE is wanted, `-` is standard input, and gzip and zstd are recognised.
#[derive(Parser)]
#[command(name = "gotrail", version, after_help = EXAMPLES, arg_required_else_help = true)]
#[command(max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Info(commands::info::Args),
    Dump(commands::dump::Args),
    Convert(commands::convert::Args),
    Validate(commands::validate::Args),
    Goroutines(commands::goroutines::Args),
    Tasks(commands::tasks::Args),
    Goroutine(commands::goroutine::Args),
    Task(commands::task::Args),
    Why(commands::why::Args),
    View(commands::view::Args),
    Gc(commands::gc::Args),
    Mmu(commands::mmu::Args),
    Procs(commands::procs::Args),
    Check(commands::check::Args),
    Diff(commands::diff::Args),
    Report(commands::report::Args),
    Latency(commands::latency::Args),
    Regions(commands::regions::Args),
    Logs(commands::logs::Args),
    Pprof(commands::pprof::Args),
    Flame(commands::flame::Args),
    Synth(commands::synth::Args),
    CheckArchive(commands::check_archive::Args),
    Completions(commands::completions::Args),
    Man(commands::man::Args),
}

/// What a command that worked found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All is well.
    Fine,
    /// A trace is broken or a check failed, and the command has said so.
    Broken,
}

fn main() -> ExitCode {
    memory::give_back_large_blocks();
    let result = match Cli::parse().command {
        Command::Info(args) => commands::info::run(&args),
        Command::Dump(args) => commands::dump::run(&args),
        Command::Convert(args) => commands::convert::run(&args),
        Command::Validate(args) => commands::validate::run(&args),
        Command::Goroutines(args) => commands::goroutines::run(&args),
        Command::Tasks(args) => commands::tasks::run(&args),
        Command::Goroutine(args) => commands::goroutine::run(&args),
        Command::Task(args) => commands::task::run(&args),
        Command::Why(args) => commands::why::run(&args),
        Command::View(args) => commands::view::run(&args),
        Command::Gc(args) => commands::gc::run(&args),
        Command::Mmu(args) => commands::mmu::run(&args),
        Command::Procs(args) => commands::procs::run(&args),
        Command::Check(args) => commands::check::run(&args),
        Command::Diff(args) => commands::diff::run(&args),
        Command::Report(args) => commands::report::run(&args),
        Command::Latency(args) => commands::latency::run(&args),
        Command::Regions(args) => commands::regions::run(&args),
        Command::Logs(args) => commands::logs::run(&args),
        Command::Pprof(args) => commands::pprof::run(&args),
        Command::Flame(args) => commands::flame::run(&args),
        Command::Synth(args) => commands::synth::run(&args),
        Command::CheckArchive(args) => commands::check_archive::run(&args),
        Command::Completions(args) => commands::completions::run(&args),
        Command::Man(args) => commands::man::run(&args),
    };
    match result {
        Ok(Verdict::Fine) => ExitCode::SUCCESS,
        Ok(Verdict::Broken) => ExitCode::from(1),
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let paint = paint::Paint::stderr();
            // Nothing can be done if even this fails.
            let _ = writeln!(std::io::stderr(), "{} {error:#}", paint.red("error:"));
            // As for what clap finds.
            ExitCode::from(if error.is::<failure::Usage>() { 2 } else { 1 })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_of_the_arguments_agree_with_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_a_sentence_and_examples() {
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name}");
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.contains(&format!("gotrail {name}")), "{name}");
        }
    }
}
