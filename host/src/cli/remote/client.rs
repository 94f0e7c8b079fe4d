//! A client of a server's API.

use std::io::ErrorKind;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::http::header::AUTHORIZATION;
use axum::http::uri::{Authority, PathAndQuery, Scheme};
use axum::http::{HeaderValue, Request, StatusCode, Uri};
use serde::Deserialize;
use serde_json::Value;
use ureq::Agent;
use ureq::tls::TlsConfig;

use super::arguments::RemoteArgs;
use crate::config::TOKEN_VARIABLE;
use crate::model::secret::Secret;
use crate::model::text::printable;
use crate::roots;

/// How long a connection may take.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// How long an answer may take: a rollback loads a component, which may wait for others.
const ANSWER_WAIT: Duration = Duration::from_secs(330);
/// The longest answer: a thousand plugins with a thousand rooms each.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// A server, and the token that it is shown.
pub struct ApiClient {
    agent: Agent,
    server: ServerUrl,
    token: Option<Secret>,
}

/// What the API says where it refuses.
#[derive(Deserialize)]
struct ApiRefusal {
    error: String,
}

impl ApiClient {
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
        let roots = roots::read("--ca-file", args.ca_file.as_deref())?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_connect(Some(CONNECT_WAIT))
            .timeout_global(Some(ANSWER_WAIT))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        let server = ServerUrl::parse(&args.server)?;
        Ok(Self { agent: agent.new_agent(), server, token: token.map(Secret::new) })
    }

    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Request::get(self.server.at(path)?).body(String::new())?)
    }

    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Request::post(self.server.at(path)?).body(body.to_string())?)
    }

    fn ask(&self, mut request: Request<String>) -> anyhow::Result<Value> {
        if let Some(token) = &self.token {
            let value = HeaderValue::try_from(format!("Bearer {}", token.expose())).ok();
            let mut value = value.context("the token holds what a header cannot carry")?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let (status, answer) = self.exchange(request).map_err(|why| self.server.explain(&why))?;
        let said = serde_json::from_slice::<Value>(&answer);
        match (status, said) {
            (StatusCode::UNAUTHORIZED, _) if self.token.is_none() => {
                bail!("the server wants a token: set {TOKEN_VARIABLE}, or give --token-file")
            }
            (StatusCode::UNAUTHORIZED, _) => bail!("the server does not take this token"),
            (status, Ok(said)) if status.is_success() => Ok(said),
            (status, said) => match said.ok().and_then(|said| serde_json::from_value::<ApiRefusal>(said).ok()) {
                Some(ApiRefusal { error }) => bail!("{}", printable(&error)),
                None => bail!("{} answered with status {status}: is it a Parlor server?", self.server),
            },
        }
    }

    fn exchange(&self, request: Request<String>) -> Result<(StatusCode, Vec<u8>), ureq::Error> {
        let mut response = self.agent.run(request)?;
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
        Ok((response.status(), body))
    }
}

/// `http://HOST[:PORT]`, or https, and the path under which a proxy serves it.
#[derive(Debug, PartialEq, Eq)]
struct ServerUrl {
    scheme: Scheme,
    authority: Authority,
    /// Without a slash at its end.
    prefix: String,
}

impl std::fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

impl ServerUrl {
    fn parse(url: &str) -> anyhow::Result<Self> {
        let wrong = || format!("--server: {url:?} is not http://HOST:PORT or https://HOST:PORT");
        let uri: Uri = url.parse().ok().with_context(wrong)?;
        let parts = uri.into_parts();
        let scheme = parts.scheme.filter(|scheme| [Scheme::HTTP, Scheme::HTTPS].contains(scheme));
        let path = parts.path_and_query.filter(|path| *path != "/");
        let prefix = path.as_ref().map_or("", PathAndQuery::as_str).trim_end_matches('/').to_owned();
        let authority = parts.authority.filter(|authority| !authority.as_str().contains('@') && !prefix.contains('?'));
        Ok(Self { scheme: scheme.with_context(wrong)?, authority: authority.with_context(wrong)?, prefix })
    }

    fn at(&self, path: &str) -> anyhow::Result<Uri> {
        let (scheme, authority) = (self.scheme.clone(), self.authority.clone());
        let path: PathAndQuery = format!("{}{path}", self.prefix).parse().context("a path of the API")?;
        let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query(path);
        uri.build().context("an address of the API")
    }

    /// What a failed exchange means for whoever typed the command.
    fn explain(&self, why: &ureq::Error) -> anyhow::Error {
        let nobody = || anyhow::anyhow!("no server listens at {self}, which --server can change: {why}");
        match why {
            ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => nobody(),
            ureq::Error::Io(io) if io.kind() == ErrorKind::ConnectionRefused => nobody(),
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                anyhow::anyhow!("{self} did not answer within {} s", CONNECT_WAIT.as_secs())
            }
            ureq::Error::Timeout(_) => {
                anyhow::anyhow!("{self} did not answer completely within {} s", ANSWER_WAIT.as_secs())
            }
            ureq::Error::Rustls(why) => not_trusted(self, &why.to_string()),
            ureq::Error::Io(io) if self.scheme == Scheme::HTTPS && io.kind() == ErrorKind::InvalidData => {
                not_trusted(self, &io.to_string())
            }
            why => anyhow::anyhow!("{self} did not answer as a Parlor server does: {why}"),
        }
    }
}

fn not_trusted(server: &ServerUrl, why: &str) -> anyhow::Error {
    anyhow::anyhow!("{server} is not trusted, for which --ca-file can name other certificates: {}", printable(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_scheme_host_and_port() {
        for url in ["http://127.0.0.1:7070", "http://host", "http://[::1]:7", "https://host:8443", "https://host/rt"] {
            assert_eq!(ServerUrl::parse(url).unwrap().to_string(), url);
        }
        assert_eq!(ServerUrl::parse("https://host/").unwrap().at("/a/b").unwrap().to_string(), "https://host/a/b");
        assert_eq!(ServerUrl::parse("https://host/rt/").unwrap().at("/a").unwrap().to_string(), "https://host/rt/a");
        for url in ["host:7070", "ftp://host", "http://user@host", "https://host/?a", "https://host/rt?a", ""] {
            let why = ServerUrl::parse(url).unwrap_err().to_string();
            assert!(why.contains("is not http://"), "{url}: {why}");
        }
    }
}
