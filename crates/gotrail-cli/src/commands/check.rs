//! `gotrail check`: findings with evidence, for people and for CI.

use crate::checkout::Checkout;
use crate::failure::{Failure, Usage, quoted, wrong_usage};
use crate::findings::{Findings, Form, Writer};
use crate::output::Output;
use crate::query::{Part, Query};
use crate::{Verdict, human, settings, source};
use anyhow::Result;
use gotrail_analyze::Options;
use gotrail_analyze::check::Rules;
use std::io::Write as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  gotrail check trace.out
  gotrail check --set long-stw.longest=1ms --set sched-latency.p99=2ms trace.out
  gotrail check --from 2s --to 3s --function 'net/http' trace.out
  gotrail check --rules rules.toml --format github --root . *.trace
  gotrail check --format junit trace.out > findings.xml
  gotrail check --list

A file of rules names rules and thresholds:

  [long-stw]
  longest = \"1ms\"

  [goroutine-leak]
  enabled = false

Exit status: 0 if nothing was found, 1 if something was, or a trace is broken, 2 for wrong usage.
docs/analyses.md says what each rule is for.";

/// Look for what is worth a look: leaks, contention, long stops, latency, misused annotations.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The traces; `-` is standard input.
    #[arg(value_name = "TRACE", required_unless_present = "list")]
    traces: Vec<PathBuf>,
    /// How many threads to use [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = crate::query::thread_count)]
    threads: Option<NonZero<usize>>,
    /// A file with thresholds, in TOML.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// A threshold, as RULE.THRESHOLD=VALUE, or RULE.enabled=false.
    #[arg(long, value_name = "SETTING")]
    set: Vec<String>,
    /// Use only these rules.
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    only: Vec<String>,
    /// List the rules and their thresholds, with the settings applied, as a file of rules.
    #[arg(long)]
    list: bool,
    /// How to print findings.
    #[arg(long, value_enum, default_value_t = Form::Text, help_heading = "Output")]
    format: Form,
    /// The same as --format json.
    #[arg(long, conflicts_with_all = ["format", "list"], help_heading = "Output")]
    json: bool,
    /// How many findings of each rule to print; 0 for all [default: 5, or all but with --format
    /// text].
    #[arg(long, value_name = "N", help_heading = "Output")]
    top: Option<usize>,
    /// The checkout of the program, from which --format github names files.
    #[arg(long, value_name = "DIR", default_value = ".", help_heading = "Output")]
    root: PathBuf,
    #[command(flatten)]
    part: Part,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let rules = settings::rules(args.rules.as_deref(), &args.set, &args.only)?;
    let mut output = Output::new();
    if args.list {
        output.buffer().extend_from_slice(settings::list(&rules).as_bytes());
        output.flush()?;
        return Ok(Verdict::Fine);
    }
    if rules.0.iter().all(|rule| !rule.enabled) {
        wrong_usage!(
            "no rule is left that could find anything; `gotrail check --list` shows all rules"
        );
    }
    source::need_one_stdin(&args.traces)?;
    let form = if args.json { Form::Json } else { args.format };
    let mut writer = Writer::new(form, &rules, Checkout::new(&args.root));
    (writer.several, writer.top) = (args.traces.len() > 1, args.top);
    let mut fine = true;
    for trace in &args.traces {
        match judge(trace, args, &rules) {
            Ok(findings) => {
                fine &= findings.found.is_empty() && findings.broken.is_none();
                writer.trace(&findings);
                query(trace, args).leave(findings);
            }
            Err(error) if error.is::<Usage>() => return Err(error),
            Err(error) => {
                fine = false;
                writer.failed(&source::name_of(trace), &format!("{error:#}"));
                let paint = crate::paint::Paint::stderr();
                // Nothing can be done if even this fails.
                let _ = writeln!(std::io::stderr(), "{} {error:#}", paint.red("error:"));
            }
        }
    }
    output.buffer().extend_from_slice(writer.finish()?.as_bytes());
    output.flush_last()?;
    Ok(if fine { Verdict::Fine } else { Verdict::Broken })
}

fn query(trace: &Path, args: &Args) -> Query {
    Query { trace: trace.to_owned(), part: args.part.clone(), threads: args.threads }
}

/// What is to be found in a trace.
fn judge(trace: &Path, args: &Args, rules: &Rules) -> Result<Findings> {
    let name = source::name_of(trace);
    let query = query(trace, args);
    let options = Options { procs: true, limits: rules.limits(), ..Options::default() };
    let answer = query.run(options)?;
    let look = || format!("`gotrail info {}` says more", quoted(&name));
    if answer.report.times_are_ticks {
        let what = "the trace does not say how long a tick is, so that no time can be judged";
        return Err(Failure::new(format!("{name}: {what}")).next(look()).into());
    }
    if answer.analysis.goroutines.iter().len() == 0 {
        let what = "has no event of any goroutine, so that there is nothing to be judged";
        return Err(Failure::new(format!("{name}: {what}")).next(look()).into());
    }
    let report = &answer.report;
    let broken = (!report.is_complete()).then(|| {
        let first = report.losses.first().map(|loss| loss.reason.clone());
        let first = first.unwrap_or("strings or stacks are missing".to_owned());
        let lost = human::size(report.bytes_lost());
        format!("{name}: is broken, {lost} are lost: {first}")
    });
    let found = rules.find(&answer.analysis, report, query.threads());
    Ok(Findings { trace: name, answer, found, broken })
}
