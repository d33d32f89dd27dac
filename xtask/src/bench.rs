//! `cargo xtask bench`: how fast we are, against Go's own reader in the same run.
//!
//! - [`recipes`]: the traces, recorded or made from recordings ([`superpose`]);
//! - [`rows`]: what is compared with what, and which ratio has to come out;
//! - [`usage`]: running a process and seeing what it used;
//! - [`served`]: the same of programs that serve a page until they are stopped;
//! - [`table`]: running both sides by turns, and the result as a table;
//! - [`instructions`]: instructions for each event, which do not depend on the machine's mood;
//! - [`scaling`]: how cost grows with procs and goroutines.

mod instructions;
mod machine;
mod recipes;
mod rows;
mod scaling;
mod served;
mod stats;
mod superpose;
mod table;
mod usage;

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use crate::peer::Peer;
use crate::test::{finish, program};
use crate::{paths, run};

pub(crate) use instructions::check as check_instructions;
use recipes::{RECIPES, Recipe, Trace};
use rows::Programs;

/// What the subcommand can be told.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only rows whose trace or measure contains this, such as `c-channels` or `memory`
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// How many rounds there are, after a warm-up; short rows run several times in each
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Small traces, for trying things out: no results are written, no target must be reached
    #[arg(long)]
    quick: bool,
    /// Count instructions for each event instead, and compare with benches/instructions.tsv
    #[arg(long, conflicts_with_all = ["scaling", "only", "quick"])]
    instructions: bool,
    /// With --instructions: write what was counted to benches/instructions.tsv
    #[arg(long, requires = "instructions")]
    bless: bool,
    /// Measure instead how cost grows with procs and goroutines
    #[arg(long)]
    scaling: bool,
    /// Only make the trace with this name, if it is not there yet
    #[arg(long, value_name = "NAME", hide = true)]
    make: Option<String>,
}

/// Runs the subcommand.
pub(crate) fn main(options: &Options) -> Result<()> {
    if options.instructions {
        return instructions::main(options.bless);
    }
    let peer = Peer::get()?;
    if let Some(name) = &options.make {
        let recipes = RECIPES.iter().copied().chain(scaling::recipes());
        let recipe = recipes.into_iter().find(|recipe| recipe.label() == *name);
        return recipe.context("no recipe of that name")?.make(&peer, options.quick);
    }
    let programs = Programs::new(&build(&["wire_decode", "second_pass"])?, &peer);
    if options.scaling {
        return scaling::main(&programs, options.quick);
    }
    table::main(&programs, options)
}

/// Builds the command and these examples for release; the folder where they are.
fn build(examples: &[&str]) -> Result<PathBuf> {
    let mut command = Command::new(program());
    command.args(["build", "--release", "--quiet", "-p", "gotrail-cli", "--bin", "gotrail"]);
    if !examples.is_empty() {
        command.args(["-p", "gotrail"]);
    }
    for example in examples {
        command.args(["--example", example]);
    }
    finish(&mut command)?;
    let mut command = Command::new(program());
    command.args(["metadata", "--format-version", "1", "--no-deps"]);
    let metadata = run::output(command.current_dir(paths::workspace()))?;
    let metadata = String::from_utf8_lossy(&metadata);
    let folder = metadata
        .split_once("\"target_directory\":\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .context("cargo does not say where programs are")?
        .0;
    Ok(PathBuf::from(folder.replace("\\\\", "\\")).join("release"))
}

/// A trace; made first if it is not there. This process stays small: see [`usage`].
fn trace(recipe: Recipe, quick: bool) -> Result<Trace> {
    if recipe.find(quick)?.is_none() {
        if let Some(whole) = recipe.whole() {
            trace(whole, quick)?;
        }
        let mut command = Command::new(env::current_exe()?);
        command.args(["bench", "--make", &recipe.label()]).args(quick.then_some("--quick"));
        finish(&mut command)?;
    }
    recipe.find(quick)?.with_context(|| format!("{} was not made", recipe.label()))
}
