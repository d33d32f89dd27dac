//! The server: the page, and the API that docs/api.md describes.

use crate::api::Refusal;
use crate::asker;
use crate::guard::{self, Guard};
use crate::lane::{Colour, Lane};
use crate::matches::{Wanted, Which};
use crate::tile;
use crate::view::View;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

mod answers;
mod asked;
mod connections;
mod run;
mod scope;

use answers::{answer, critical, flame};
use asked::{Asked, END_OF_TIME, Matching, Query, window};

/// The files of the built page, compressed when this program was built.
static PAGE: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The description of the API for programs.
const OPENAPI: &str = include_str!("../openapi.json");

/// What the server needs to answer.
pub struct Server {
    /// The trace.
    pub view: Arc<View>,
    /// The command that answers questions about traces.
    pub command: PathBuf,
    /// At most [`ANSWERS`] of them at a time.
    running: Semaphore,
}

/// So many commands answer questions at a time.
const ANSWERS: usize = 4;

impl Server {
    /// A server of a trace; `command` is this program.
    pub fn new(view: Arc<View>, command: PathBuf) -> Server {
        Server { view, command, running: Semaphore::new(ANSWERS) }
    }
}

type App = State<Arc<Server>>;

/// An answer that says what is wrong.
struct Failure(StatusCode, String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<String> for Failure {
    fn from(why: String) -> Failure {
        Failure(StatusCode::BAD_REQUEST, why)
    }
}

impl From<&str> for Failure {
    fn from(why: &str) -> Failure {
        why.to_owned().into()
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        match refusal {
            Refusal::Wrong(why) => why.into(),
            Refusal::Missing(why) => Failure(StatusCode::NOT_FOUND, why),
            Refusal::Unreadable(error) => error.into(),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        let why = format!(
            "the index of this trace cannot be read again ({error}): start gotrail view anew"
        );
        Failure(StatusCode::INTERNAL_SERVER_ERROR, why)
    }
}

type Answer = Result<Json<Value>, Failure>;

/// Serves until the process ends.
pub async fn serve(server: Arc<Server>, listener: TcpListener, guard: Guard) -> io::Result<()> {
    let guard = Arc::new(guard);
    let router = Router::new()
        .route("/api/trace", get(async |State(app): App| Json(app.view.about())))
        .route("/api/progress", get(progress))
        .route("/api/labels", get(labels))
        .route("/api/lanes", get(lanes))
        .route("/api/members", get(members))
        .route("/api/tasks", get(tasks))
        .route("/api/regions", get(regions))
        .route("/api/tile", get(tiles))
        .route("/api/plot", get(plot))
        .route("/api/marks", get(marks))
        .route("/api/span", get(span))
        .route("/api/arrows", get(arrows))
        .route("/api/search", get(search))
        .route("/api/matches", get(matches))
        .route("/api/selection", get(selection))
        .route("/api/flame", get(flame))
        .route("/api/critical", get(critical))
        .route("/api/answer/{command}", get(answer))
        .route("/api/openapi.json", get(openapi))
        .fallback(get(page))
        .with_state(server)
        .layer(middleware::from_fn(asked::known))
        .layer(middleware::from_fn_with_state(guard, guard::guard));
    connections::accept(listener, router, connections::LIMITS).await
}

/// A file of the page; anything else is the page itself, which has addresses of its own.
async fn page(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") {
        let why = format!("there is no {path}: docs/api.md lists what there is");
        return Failure(StatusCode::NOT_FOUND, why).into_response();
    }
    let file = |wanted: &str| PAGE.iter().find(|(name, _)| *name == wanted);
    let Some(&(name, file)) = file(path).or_else(|| file("index.html")) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        Some("png") => "image/png",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    };
    let about = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "Accept-Encoding"),
    ];
    if takes_gzip(&headers) {
        return (about, [(header::CONTENT_ENCODING, "gzip")], file).into_response();
    }
    let mut plain = Vec::new();
    match GzDecoder::new(file).read_to_end(&mut plain) {
        Ok(_) => (about, plain).into_response(),
        Err(error) => Failure::from(error).into_response(),
    }
}

/// Whether whoever asks can read what is compressed.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name == "gzip" || name == "*");
        named && !parts.any(|part| part.replace(' ', "").trim_end_matches(['0', '.']) == "q=")
    })
}

/// Does what takes longer than a moment on a thread of its own.
async fn work<T: Send + 'static>(
    app: Arc<Server>,
    job: impl FnOnce(&View) -> T + Send + 'static,
) -> Result<T, Failure> {
    // Dropped with this future, when nobody waits for it any more.
    let (_asker, weak) = asker::asker();
    let job = move || asker::work_for(weak, || job(&app.view));
    let done = tokio::task::spawn_blocking(job).await;
    done.map_err(|error| Failure(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

async fn progress(State(app): App) -> Response {
    let events = async_stream(app);
    let headers =
        [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(events)).into_response()
}

/// What is known of the trace, ten times a second until all is.
fn async_stream(app: Arc<Server>) -> impl futures_core::Stream<Item = Result<String, Infallible>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let about = app.view.about();
            let done = about["done"] == json!(true);
            if sender.send(Ok(format!("data: {about}\n\n"))).await.is_err() || done {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    tokio_stream::wrappers::ReceiverStream::new(receiver)
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    from: u32,
}

async fn labels(State(app): App, Query(query): Query<Since>) -> Json<Value> {
    Json(app.view.labels(query.from))
}

async fn lanes(State(app): App) -> Answer {
    Ok(Json(work(app, View::lanes).await?))
}

async fn members(State(app): App, Query(asked): Query<Asked>) -> Answer {
    let found = work(app, move |view| {
        let page = (asked.offset, asked.limit());
        view.members(asked.group, &asked.sort, page, asked.window()?, &asked.q)
    });
    Ok(Json(found.await??))
}

async fn tasks(State(app): App, Query(asked): Query<Asked>) -> Answer {
    let found = work(app, move |view| {
        view.tasks(&asked.sort, (asked.offset, asked.limit()), asked.window()?, &asked.q)
    });
    Ok(Json(found.await??))
}

async fn regions(State(app): App, Query(asked): Query<Asked>) -> Answer {
    let window = asked.window()?;
    Ok(Json(work(app, move |view| view.regions(window, asked.limit())).await?))
}

async fn tiles(State(app): App, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    const MOST: usize = 512;
    let level = asked.level.filter(|level| *level < 48);
    let (Some(level), Some(number)) = (level, asked.index) else {
        return Err("a tile has a level below 48 and an index".to_owned().into());
    };
    if number >= END_OF_TIME as u64 >> (level + 8) {
        return Err("there is no time there".to_owned().into());
    }
    let lanes = asked.lanes()?;
    if lanes.len() > MOST {
        return Err(format!("at most {MOST} lanes at a time").into());
    }
    let colour = match asked.colour.as_str() {
        "" | "state" => Colour::State,
        "function" => Colour::Function,
        _ => return Err("lanes are coloured by state or by function".into()),
    };
    let bytes =
        work(app, move |view| tile::tile(&view.index.read(), level, number, &lanes, colour))
            .await??;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

async fn plot(State(app): App, Query(asked): Query<Asked>) -> Answer {
    let found = work(app, move |view| {
        let (from, to) = asked.window()?;
        view.plot(&asked.name, from, to, asked.points.unwrap_or(1000).clamp(1, 20_000))
    });
    Ok(Json(found.await??))
}

async fn marks(State(app): App, Query(asked): Query<Asked>) -> Answer {
    let found = work(app, move |view| {
        let (from, to) = asked.window()?;
        view.marks(&asked.kind, from, to, asked.limit())
    });
    Ok(Json(found.await??))
}

async fn span(State(app): App, Query(asked): Query<Asked>) -> Answer {
    let lane = asked.lane.parse()?;
    let time = asked.time.unwrap_or(0);
    Ok(Json(work(app, move |view| view.span(lane, time)).await??))
}

async fn arrows(State(app): App, Query(asked): Query<Asked>) -> Answer {
    let lanes = asked.lanes()?;
    let between: Vec<i64> = lanes
        .iter()
        .filter_map(|lane| if let Lane::Go(id) = lane { Some(*id) } else { None })
        .collect();
    let found = work(app, move |view| {
        let (from, to) = asked.window()?;
        Ok::<_, Refusal>(view.arrows(from, to, &between, asked.limit())?)
    });
    Ok(Json(found.await??))
}

async fn search(State(app): App, Query(asked): Query<Asked>) -> Answer {
    Ok(Json(work(app, move |view| view.search(&asked.q, asked.limit().min(200))).await?))
}

async fn selection(State(app): App, Query(asked): Query<Asked>) -> Answer {
    let (from, to) = asked.window()?;
    let lanes = asked.lanes()?;
    let command = scope::command_of(&app.view, (asked.from, asked.to), &lanes);
    let mut found = work(app, move |view| view.selection(from, to, &lanes)).await??;
    found["no_command"] = command.as_ref().err().cloned().into();
    found["command"] = command.ok().into();
    Ok(Json(found))
}

async fn matches(State(app): App, Query(asked): Query<Matching>) -> Answer {
    let mut states = 0u16;
    for state in asked.state.split(',').filter(|state| !state.is_empty()) {
        let state: u32 = state.parse().map_err(|_| format!("{state:?} is no state"))?;
        states |= 1u16.checked_shl(state).ok_or("there is no such state".to_owned())?;
    }
    let which = match (asked.until, asked.last) {
        (Some(until), true) if asked.from.is_none() && asked.to.is_none() => {
            Which::Until(until.clamp(0, END_OF_TIME))
        }
        (None, false) => {
            let (from, to) = window(asked.from, asked.to)?;
            Which::From(from, to)
        }
        _ => return Err("either from and to, or until with last=true".into()),
    };
    let wanted = Wanted {
        states: if states == 0 { u16::MAX } else { states },
        function: asked.function,
        label: asked.label,
        stack: asked.stack,
        min: asked.min.unwrap_or(0),
        max: asked.max.unwrap_or(i64::MAX),
    };
    let limit = asked.limit.unwrap_or(100).min(10_000);
    Ok(Json(work(app, move |view| view.matches(&wanted, which, limit)).await??))
}
