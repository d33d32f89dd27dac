//! Profiles in the form of pprof.
//!
//! The messages are those of pprof's `profile.proto`, written down by hand, so that nothing is
//! generated when this is built. Only what is used here is there; a reader skips the rest.

use crate::names::{Frame, Names, StrId};
use crate::profile::{Profile, ProfileKind, Sample};
use indexmap::{IndexMap, IndexSet};
use prost::Message as _;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// pprof's messages. Strings are numbers of `string_table`, of which 0 is the empty string.
#[allow(missing_docs, reason = "pprof's own names, which its profile.proto explains")]
pub mod proto {
    use prost::Message;

    #[derive(Clone, PartialEq, Message)]
    pub struct Profile {
        #[prost(message, repeated, tag = "1")]
        pub sample_type: Vec<ValueType>,
        #[prost(message, repeated, tag = "2")]
        pub sample: Vec<Sample>,
        #[prost(message, repeated, tag = "4")]
        pub location: Vec<Location>,
        #[prost(message, repeated, tag = "5")]
        pub function: Vec<Function>,
        /// Not `string`: names of a program may be any bytes.
        #[prost(bytes = "vec", repeated, tag = "6")]
        pub string_table: Vec<Vec<u8>>,
        #[prost(int64, tag = "9")]
        pub time_nanos: i64,
        #[prost(int64, tag = "10")]
        pub duration_nanos: i64,
        #[prost(message, optional, tag = "11")]
        pub period_type: Option<ValueType>,
        #[prost(int64, tag = "12")]
        pub period: i64,
        #[prost(int64, repeated, tag = "13")]
        pub comment: Vec<i64>,
        #[prost(int64, tag = "14")]
        pub default_sample_type: i64,
    }

    #[derive(Clone, Copy, PartialEq, Message)]
    pub struct ValueType {
        #[prost(int64, tag = "1")]
        pub r#type: i64,
        #[prost(int64, tag = "2")]
        pub unit: i64,
    }

    #[derive(Clone, PartialEq, Message)]
    pub struct Sample {
        #[prost(uint64, repeated, tag = "1")]
        pub location_id: Vec<u64>,
        #[prost(int64, repeated, tag = "2")]
        pub value: Vec<i64>,
        #[prost(message, repeated, tag = "3")]
        pub label: Vec<Label>,
    }

    #[derive(Clone, Copy, PartialEq, Message)]
    pub struct Label {
        #[prost(int64, tag = "1")]
        pub key: i64,
        #[prost(int64, tag = "2")]
        pub str: i64,
        #[prost(int64, tag = "3")]
        pub num: i64,
        #[prost(int64, tag = "4")]
        pub num_unit: i64,
    }

    #[derive(Clone, PartialEq, Message)]
    pub struct Location {
        #[prost(uint64, tag = "1")]
        pub id: u64,
        #[prost(uint64, tag = "3")]
        pub address: u64,
        #[prost(message, repeated, tag = "4")]
        pub line: Vec<Line>,
    }

    #[derive(Clone, Copy, PartialEq, Message)]
    pub struct Line {
        #[prost(uint64, tag = "1")]
        pub function_id: u64,
        #[prost(int64, tag = "2")]
        pub line: i64,
    }

    #[derive(Clone, Copy, PartialEq, Message)]
    pub struct Function {
        #[prost(uint64, tag = "1")]
        pub id: u64,
        #[prost(int64, tag = "2")]
        pub name: i64,
        #[prost(int64, tag = "3")]
        pub system_name: i64,
        #[prost(int64, tag = "4")]
        pub filename: i64,
    }
}

/// What a profile is to say besides its samples.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// When it begins, in nanoseconds since 1970 in UTC; 0 if that is not known.
    pub time: i64,
    /// How long a time it is of, in nanoseconds.
    pub duration: i64,
    /// A line for people.
    pub comment: String,
}

/// A label of a sample: a name and a text.
pub type Label = (&'static str, String);

impl Profile {
    /// The profile in the form of pprof, not compressed. `labels` says which labels a sample has.
    pub fn to_pprof(
        &self,
        names: &Names,
        about: &About,
        labels: impl Fn(&Sample) -> Vec<Label>,
    ) -> Vec<u8> {
        let mut builder = Builder::new(names);
        let types: &[(&str, &str)] = match self.kind {
            ProfileKind::Cpu => &[("samples", "count")],
            ProfileKind::Wall | ProfileKind::OffCpu => {
                &[("stretches", "count"), ("time", "nanoseconds")]
            }
            // As the reference has it.
            _ => &[("contentions", "count"), ("delay", "nanoseconds")],
        };
        let mut value_type = |&(name, unit): &(&str, &str)| proto::ValueType {
            r#type: builder.string(name.as_bytes()),
            unit: builder.string(unit.as_bytes()),
        };
        let sample_type: Vec<_> = types.iter().map(&mut value_type).collect();
        let period_type = Some(value_type(&("trace", "count")));
        let default_sample_type = sample_type.last().map_or(0, |last| last.r#type);
        let comment = match about.comment.as_str() {
            "" => Vec::new(),
            text => vec![builder.string(text.as_bytes())],
        };
        let samples = self.samples.iter().map(|sample| {
            let frames = sample.frames(names).map(|frame| builder.location(frame));
            let location_id = frames.collect();
            let label = labels(sample).into_iter().map(|(key, text)| proto::Label {
                key: builder.string(key.as_bytes()),
                str: builder.string(text.as_bytes()),
                ..proto::Label::default()
            });
            let label = label.collect();
            let count = sample.count as i64;
            let value = if types.len() == 1 { vec![count] } else { vec![count, sample.nanos] };
            proto::Sample { location_id, value, label }
        });
        let profile = proto::Profile {
            sample_type,
            sample: samples.collect(),
            location: std::mem::take(&mut builder.locations).into_values().collect(),
            function: std::mem::take(&mut builder.functions).into_values().collect(),
            string_table: builder.strings.into_iter().collect(),
            time_nanos: about.time,
            duration_nanos: about.duration,
            period_type,
            period: 1,
            comment,
            default_sample_type,
        };
        profile.encode_to_vec()
    }
}

/// What samples refer to, each once.
struct Builder<'a> {
    names: &'a Names,
    strings: IndexSet<Vec<u8>, FxBuildHasher>,
    known: FxHashMap<StrId, i64>,
    functions: IndexMap<(StrId, StrId), proto::Function, FxBuildHasher>,
    locations: IndexMap<Frame, proto::Location, FxBuildHasher>,
}

impl<'a> Builder<'a> {
    fn new(names: &'a Names) -> Builder<'a> {
        let mut strings = IndexSet::default();
        strings.insert(Vec::new());
        Builder {
            names,
            strings,
            known: FxHashMap::default(),
            functions: IndexMap::default(),
            locations: IndexMap::default(),
        }
    }

    fn string(&mut self, text: &[u8]) -> i64 {
        let known = self.strings.get_index_of(text);
        known.unwrap_or_else(|| self.strings.insert_full(text.to_owned()).0) as i64
    }

    fn name(&mut self, name: StrId) -> i64 {
        if let Some(&known) = self.known.get(&name) {
            return known;
        }
        // pprof wants UTF-8, and refuses the whole profile otherwise.
        let text = String::from_utf8_lossy(self.names.string(name));
        let number = self.string(text.as_bytes());
        self.known.insert(name, number);
        number
    }

    fn location(&mut self, frame: Frame) -> u64 {
        if let Some(location) = self.locations.get(&frame) {
            return location.id;
        }
        let key = (frame.function, frame.file);
        let function_id = match self.functions.get(&key) {
            Some(function) => function.id,
            None => {
                let (name, filename) = (self.name(frame.function), self.name(frame.file));
                let id = self.functions.len() as u64 + 1;
                let function = proto::Function { id, name, system_name: name, filename };
                self.functions.insert(key, function);
                id
            }
        };
        let line = proto::Line { function_id, line: frame.line as i64 };
        let id = self.locations.len() as u64 + 1;
        let location = proto::Location { id, address: frame.pc, line: vec![line] };
        self.locations.insert(frame, location);
        id
    }
}
