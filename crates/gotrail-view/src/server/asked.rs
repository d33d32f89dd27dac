//! What is asked for: the parameters of a question, and what is wrong with them.

use super::Failure;
use crate::lane::Lane;
use axum::extract::{FromRequestParts, Request};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::LazyLock;

/// The parameters of each question, as the description of the API names them.
static KNOWN: LazyLock<FxHashMap<String, Vec<String>>> = LazyLock::new(|| {
    let all: Value = serde_json::from_str(super::OPENAPI).unwrap_or_default();
    let paths = all["paths"].as_object().into_iter().flatten();
    let names = |about: &Value| {
        let all = about["get"]["parameters"].as_array().into_iter().flatten();
        all.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)).collect()
    };
    paths.map(|(path, about)| (path.clone(), names(about))).collect()
});

/// Refuses a parameter that the question does not have: whoever misspells one would take the answer to
/// another question for theirs. Answers of commands know their own.
pub(super) async fn known(request: Request, next: Next) -> Response {
    let uri = request.uri();
    if let Some(known) = KNOWN.get(uri.path()) {
        let mut names = pairs(uri).into_iter().map(|pair| pair.0);
        if let Some(name) = names.find(|name| name != "token" && !known.contains(name)) {
            let has = match known.is_empty() {
                true => "it has none".to_owned(),
                false => format!("it has {}", known.join(", ")),
            };
            let why = format!("there is no parameter {:?} here: {has}", short(&name));
            return Failure::from(why).into_response();
        }
    }
    next.run(request).await
}

fn pairs(uri: &Uri) -> Vec<(String, String)> {
    axum::extract::Query::try_from_uri(uri).map(|axum::extract::Query(all)| all).unwrap_or_default()
}

/// What somebody wrote, as far as it helps to find it.
fn short(text: &str) -> String {
    text.chars().take(100).collect()
}

/// What is asked for, as [`axum::extract::Query`] reads it, with errors like all others.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query<T>, Failure> {
        if let Ok(axum::extract::Query(asked)) = axum::extract::Query::try_from_uri(&parts.uri) {
            return Ok(Query(asked));
        }
        // Which of them it was shows when each is read alone.
        let wrong = |pair: &&str| {
            let alone = format!("/?{pair}").parse::<Uri>();
            alone.is_ok_and(|alone| axum::extract::Query::<T>::try_from_uri(&alone).is_err())
        };
        let query = parts.uri.query().unwrap_or_default();
        let why = match query.split('&').find(wrong) {
            Some(pair) => format!(
                "{} cannot be: docs/api.md says what is expected; numbers are whole ones",
                short(pair)
            ),
            None => "a parameter is there twice".to_owned(),
        };
        Err(why.into())
    }
}

/// No trace is longer: 73 years.
pub(super) const END_OF_TIME: i64 = 1 << 61;

/// A stretch of time, of which everything may be left out.
pub(super) fn window(from: Option<i64>, to: Option<i64>) -> Result<(i64, i64), String> {
    let from = from.unwrap_or(0).clamp(0, END_OF_TIME);
    let to = to.unwrap_or(END_OF_TIME).clamp(0, END_OF_TIME);
    if to < from {
        Err("a time ends after it begins: to is before from".to_owned())
    } else {
        Ok((from, to))
    }
}

/// What most questions may say.
#[derive(Deserialize)]
pub(super) struct Asked {
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
    #[serde(default)]
    pub(super) offset: usize,
    pub(super) limit: Option<usize>,
    #[serde(default)]
    pub(super) sort: String,
    #[serde(default)]
    pub(super) q: String,
    pub(super) group: Option<u32>,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) colour: String,
    pub(super) points: Option<usize>,
    #[serde(default)]
    pub(super) lane: String,
    #[serde(default)]
    pub(super) lanes: String,
    pub(super) time: Option<i64>,
    pub(super) level: Option<u32>,
    pub(super) index: Option<u64>,
}

impl Asked {
    /// The stretch of time.
    pub(super) fn window(&self) -> Result<(i64, i64), String> {
        window(self.from, self.to)
    }

    /// How many rows, within reason.
    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(100).min(10_000)
    }

    /// The lanes that it is about.
    pub(super) fn lanes(&self) -> Result<Vec<Lane>, String> {
        lanes_of(&self.lanes)
    }
}

/// Names of lanes, separated by commas.
pub(super) fn lanes_of(names: &str) -> Result<Vec<Lane>, String> {
    names.split(',').filter(|lane| !lane.is_empty()).map(str::parse).collect()
}

/// Spans that match.
#[derive(Deserialize)]
pub(super) struct Matching {
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
    pub(super) until: Option<i64>,
    #[serde(default)]
    pub(super) last: bool,
    #[serde(default)]
    pub(super) state: String,
    #[serde(default)]
    pub(super) function: String,
    #[serde(default)]
    pub(super) label: String,
    #[serde(default)]
    pub(super) stack: String,
    pub(super) min: Option<i64>,
    pub(super) max: Option<i64>,
    pub(super) limit: Option<usize>,
}
