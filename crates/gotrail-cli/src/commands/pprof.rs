//! `gotrail pprof`: profiles for `go tool pprof`.

use crate::Verdict;
use crate::profiles::Wanted;
use crate::target::Place;
use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  gotrail pprof --type sched -o sched.pb.gz trace.out && go tool pprof -top sched.pb.gz
  gotrail pprof --type sync --region handler --region-min 10ms -o slow.pb.gz trace.out
  gotrail pprof --type wall --function 'net/http' --from 1s --to 2s -o second.pb.gz trace.out
  gotrail pprof --type offcpu --group-by task,state -o tasks.pb.gz trace.out
  go tool pprof -tagroot=state -http=: tasks.pb.gz

What --group-by tells apart becomes labels (pprof calls them tags): -tags lists them, -tagfocus
filters by them, -tagroot puts them on top of the stacks. docs/analyses.md defines every figure.";

/// Write a profile for `go tool pprof`: where goroutines waited, ran, or were sampled.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    place: Place,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    args.place.check()?;
    let made = args.wanted.make()?;
    let labels = |sample: &_| made.labels(sample);
    let bytes = made.profile.to_pprof(made.names(), &made.about(), labels);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&bytes)?;
    args.place.write_all(&gzip.finish()?)?;
    made.tell(&args.place);
    Ok(Verdict::Fine)
}
