//! A small client of a server's API.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::uri::{Authority, Scheme};
use axum::http::{HeaderValue, Method, Request, StatusCode, Uri};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpStream;

use super::RemoteArgs;
use crate::config::TOKEN_VARIABLE;
use crate::model::secret::Secret;
use crate::model::text::printable;

/// How long a connection may take.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// How long an answer may take: a rollback loads a component, which may wait for others.
const ANSWER_WAIT: Duration = Duration::from_secs(330);
/// The longest answer: a thousand plugins with a thousand rooms each.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// A server, and the token that it is shown.
pub struct Client {
    authority: Authority,
    token: Option<Secret>,
}

/// What the API says where it refuses.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Client {
    pub fn new(args: &RemoteArgs) -> anyhow::Result<Self> {
        let token = match &args.token_file {
            Some(file) => Some(
                std::fs::read_to_string(file)
                    .with_context(|| format!("--token-file: cannot read {}", file.display()))?
                    .trim()
                    .to_owned(),
            ),
            None => std::env::var(TOKEN_VARIABLE).ok(),
        };
        Ok(Self { authority: authority(&args.server)?, token: token.map(Secret::new) })
    }

    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, Body::empty())
    }

    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Method::POST, path, Body::from(body.to_string()))
    }

    fn ask(&self, method: Method, path: &str, body: Body) -> anyhow::Result<Value> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
        let (status, answer) = runtime.block_on(self.exchange(method, path, body))?;
        let said = serde_json::from_slice::<Value>(&answer);
        match (status, said) {
            (StatusCode::UNAUTHORIZED, _) if self.token.is_none() => {
                bail!("the server wants a token: set {TOKEN_VARIABLE}, or give --token-file")
            }
            (StatusCode::UNAUTHORIZED, _) => bail!("the server does not take this token"),
            (status, Ok(said)) if status.is_success() => Ok(said),
            (status, said) => match said.ok().and_then(|said| serde_json::from_value::<Refusal>(said).ok()) {
                Some(Refusal { error }) => bail!("{}", printable(&error)),
                None => bail!("http://{} answered with status {status}: is it a Parlor server?", self.authority),
            },
        }
    }

    async fn exchange(&self, method: Method, path: &str, body: Body) -> anyhow::Result<(StatusCode, Vec<u8>)> {
        let server = &self.authority;
        let place = (server.host().trim_matches(['[', ']']), server.port_u16().unwrap_or(80));
        let stream = tokio::time::timeout(CONNECT_WAIT, TcpStream::connect(place)).await;
        let stream = stream.with_context(|| format!("http://{server} did not answer"))?;
        let stream =
            stream.with_context(|| format!("no server listens at http://{server}, which --server can change"))?;
        let mut request = Request::builder().method(method).uri(path).header(HOST, server.as_str());
        if let Some(token) = &self.token {
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
                .ok()
                .context("the token holds what a header cannot carry")?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let request = request.body(body).context("a request")?;
        let unanswered = || format!("http://{server} did not answer as a Parlor server does");
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.with_context(unanswered)?;
        let asked = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            anyhow::Ok((status, to_bytes(Body::new(response.into_body()), ANSWER_BYTES_MAX).await?.to_vec()))
        };
        let mut asked = std::pin::pin!(tokio::time::timeout(ANSWER_WAIT, asked));
        let answer = tokio::select! {
            answer = &mut asked => answer,
            // Its end is not the answer's: what came is still to be read.
            _ = connection => asked.await,
        };
        answer.with_context(|| format!("http://{server} took too long to answer"))?.with_context(unanswered)
    }
}

/// The host and port of `http://HOST[:PORT]`.
fn authority(url: &str) -> anyhow::Result<Authority> {
    let uri: Uri = url.parse().ok().with_context(|| format!("--server: {url:?} is not http://HOST:PORT"))?;
    ensure!(
        uri.scheme() != Some(&Scheme::HTTPS),
        "--server: only plain http is spoken here; reach a server behind TLS by a tunnel, or from its own machine"
    );
    let authority = uri.authority().filter(|_| uri.scheme() == Some(&Scheme::HTTP) && uri.path() == "/");
    authority.cloned().with_context(|| format!("--server: {url:?} is not http://HOST:PORT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_plain_http() {
        for (url, expected) in
            [("http://127.0.0.1:7070", "127.0.0.1:7070"), ("http://host/", "host"), ("http://[::1]:7", "[::1]:7")]
        {
            assert_eq!(authority(url).unwrap().as_str(), expected);
        }
        for (url, words) in [
            ("https://host", "only plain http"),
            ("host:7070", "is not http://"),
            ("ftp://host", "is not http://"),
            ("http://host/api", "is not http://"),
            ("", "is not http://"),
        ] {
            let why = authority(url).unwrap_err().to_string();
            assert!(why.contains(words), "{url}: {why}");
        }
    }
}
