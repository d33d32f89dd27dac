//! Who may ask: this page, and scripts on this machine; from elsewhere only with the token. And how
//! much: how long a question, how many at a time, how long an answer takes.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The longest address: a tile of 512 lanes with long names has half of it.
const ADDRESS: usize = 32 << 10;

/// So many questions are answered at a time; a browser asks six.
const AT_ONCE: usize = 64;

/// No answer takes longer, but progress, which is sent as it comes.
const PATIENCE: Duration = Duration::from_secs(150);

/// Where the server listens, and what it wants of others.
#[derive(Debug)]
pub struct Guard {
    /// The names under which the server is reached, with port.
    hosts: Vec<String>,
    /// What requests must know if the server listens beyond this machine.
    token: Option<String>,
    /// Who is being answered.
    places: Semaphore,
}

/// The cookie that carries the token.
const COOKIE: &str = "gotrail_token";

/// Nothing comes from anywhere else, and nothing is written into the page by a trace.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

impl Guard {
    /// For a server at this address.
    pub fn new(address: SocketAddr, token: Option<String>) -> Guard {
        let port = address.port();
        let mut hosts = vec![address.to_string()];
        if token.is_none() {
            hosts.extend(["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}")));
        }
        Guard { hosts, token, places: Semaphore::new(AT_ONCE) }
    }

    fn knows(&self, host: &str) -> bool {
        // Beyond this machine a server has names that it does not know; the token guards it.
        self.token.is_some() || self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
    }

    fn admits(&self, request: &Request) -> Result<(), (StatusCode, &'static str)> {
        if request.uri().to_string().len() > ADDRESS {
            return Err((StatusCode::URI_TOO_LONG, "that is too long a question: ask for less"));
        }
        let headers = request.headers();
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "everything is asked for with GET"));
        }
        let Some(host) = text(header::HOST).filter(|host| self.knows(host)) else {
            return Err((StatusCode::FORBIDDEN, "this is not the address that the server has"));
        };
        if let Some(origin) = text(header::ORIGIN)
            && !origin.eq_ignore_ascii_case(&format!("http://{host}"))
        {
            return Err((StatusCode::FORBIDDEN, "pages of other origins get no answer"));
        }
        if text(header::HeaderName::from_static("sec-fetch-site"))
            .is_some_and(|site| site != "same-origin" && site != "none")
        {
            return Err((StatusCode::FORBIDDEN, "pages of other sites get no answer"));
        }
        match &self.token {
            Some(token) if !carries(headers, request.uri().query(), token) => {
                Err((StatusCode::UNAUTHORIZED, "open the address with the token that was printed"))
            }
            _ => Ok(()),
        }
    }
}

/// The tokens in an address.
fn token_of(query: Option<&str>) -> impl Iterator<Item = &str> {
    let parts = query.unwrap_or_default().split('&').filter_map(|part| part.split_once('='));
    parts.filter(|(name, _)| *name == "token").map(|(_, value)| value)
}

/// Whether a request has the token: in its address, as a cookie, or in a header.
fn carries(headers: &HeaderMap, query: Option<&str>, token: &str) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let cookies = text(header::COOKIE).unwrap_or_default().split(';');
    let cookies = cookies.filter_map(|cookie| cookie.trim().split_once('='));
    let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let mut found = token_of(query);
    let mut cookie = cookies.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value);
    // How long the comparison takes must not tell how much of it was right.
    let same = |given: &str| {
        given.len() == token.len()
            && given.bytes().zip(token.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0
    };
    found.any(same) || cookie.any(same) || bearer.is_some_and(same)
}

fn refuse(status: StatusCode, why: &str) -> Response {
    (status, axum::Json(serde_json::json!({ "error": why }))).into_response()
}

/// Refuses what may not ask, and says to browsers what the page may do.
pub async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let admitted = guard.admits(&request);
    // Whoever was let in by the address need not carry the token there from now on.
    let by_address = admitted.is_ok() && token_of(request.uri().query()).next().is_some();
    let mut response = match admitted {
        Ok(()) => match guard.places.try_acquire() {
            Ok(_place) => match timeout(PATIENCE, next.run(request)).await {
                Ok(response) => response,
                Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, "that takes too long"),
            },
            Err(_) => refuse(StatusCode::TOO_MANY_REQUESTS, "too many questions at a time: wait"),
        },
        Err((status, why)) => refuse(status, why),
    };
    let headers = response.headers_mut();
    if let Some(token) = guard.token.as_ref().filter(|_| by_address)
        && let Ok(cookie) = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/").parse()
    {
        headers.insert(header::SET_COOKIE, cookie);
    }
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
