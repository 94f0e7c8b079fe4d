//! Logins of browsers: a token is shown once, and a cookie stands for it until somebody logs out, the server ends or half a
//! day is over. Requests by cookie are only those of our own pages.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::header::{COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, Method};
use data_encoding::BASE64URL_NOPAD;
use parking_lot::Mutex;

use super::caller::Caller;
use crate::clock::Instant;
use crate::model::web::HostName;
use crate::randomness;

/// How long a login holds.
pub const LOGIN_HOLDS: Duration = Duration::from_secs(12 * 60 * 60);
/// Logins of one caller. The oldest ends for one more, so that nobody keeps another out.
const LOGINS_OF_CALLER: usize = 32;

/// The cookie where the page came over TLS. Its name binds it to this host, and to TLS (RFC 6265bis, 4.1.3).
const COOKIE_TLS: &str = "__Host-parlor";
/// The cookie on this machine itself, without TLS: browsers refuse the other name there.
const COOKIE_PLAIN: &str = "parlor";

/// A header that our own pages send. A form cannot, and a script of another origin may not.
pub const OF_CONSOLE: HeaderName = HeaderName::from_static("parlor-console");
/// What browsers say of the page that sends a request. Scripts cannot change it.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Names a login: the hash of its cookie's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LoginKey([u8; 32]);

impl LoginKey {
    fn of(secret: &str) -> Self {
        Self(*blake3::hash(secret.as_bytes()).as_bytes())
    }
}

#[derive(Debug)]
struct Login {
    caller: Caller,
    begun: Instant,
}

/// Everybody who is logged in.
#[derive(Debug, Default)]
pub struct Logins(Mutex<HashMap<LoginKey, Login>>);

impl Logins {
    /// Begins a login; answers the secret of its cookie.
    pub fn begin(&self, caller: Caller) -> Result<String, getrandom::Error> {
        let mut secret = [0u8; 32];
        randomness::fill(&mut secret)?;
        let secret = BASE64URL_NOPAD.encode(&secret);
        let mut logins = self.0.lock();
        logins.retain(|_, login| login.begun.elapsed() < LOGIN_HOLDS);
        let own = logins.iter().filter(|(_, login)| login.caller == caller);
        if own.clone().count() >= LOGINS_OF_CALLER
            && let Some(oldest) = own.min_by_key(|(_, login)| login.begun).map(|(key, _)| *key)
        {
            logins.remove(&oldest);
        }
        logins.insert(LoginKey::of(&secret), Login { caller, begun: Instant::now() });
        Ok(secret)
    }

    /// Whose login this is, while it holds.
    pub fn caller(&self, key: &LoginKey) -> Option<Caller> {
        let logins = self.0.lock();
        logins.get(key).filter(|login| login.begun.elapsed() < LOGIN_HOLDS).map(|login| login.caller.clone())
    }

    pub fn end(&self, key: &LoginKey) {
        self.0.lock().remove(key);
    }
}

/// Where a page came from, as far as it decides which cookie its login gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieTransport {
    Tls,
    /// This machine itself: nobody else hears the cookie.
    Local,
}

impl CookieTransport {
    /// None where others could read the cookie on its way.
    pub fn of(headers: &HeaderMap, tls: bool) -> Option<Self> {
        let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or_default();
        if tls || origin.starts_with("https://") {
            return Some(Self::Tls);
        }
        is_loopback(headers).then_some(Self::Local)
    }

    /// The value of `Set-Cookie` with this secret; without one, the value that takes the cookie away.
    pub fn cookie(self, secret: Option<&str>) -> String {
        let (name, secure) = match self {
            Self::Tls => (COOKIE_TLS, "; Secure"),
            Self::Local => (COOKIE_PLAIN, ""),
        };
        let age = if secret.is_some() { LOGIN_HOLDS.as_secs() } else { 0 };
        let secret = secret.unwrap_or_default();
        format!("{name}={secret}; Path=/{secure}; HttpOnly; SameSite=Strict; Max-Age={age}")
    }
}

fn is_loopback(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    host.is_some_and(|host| HostName::requested(host).is_loopback())
}

/// The login that a request's cookie names.
pub fn login_of(headers: &HeaderMap) -> Option<LoginKey> {
    let secret = |name: &str| cookies(headers).find_map(|(own, value)| (own == name).then_some(value));
    let plain = || secret(COOKIE_PLAIN).filter(|_| is_loopback(headers));
    secret(COOKIE_TLS).or_else(plain).map(LoginKey::of)
}

/// Whether a request by cookie is one of our own pages: one that changes something says so in a header of ours, and one
/// that reads was not sent by a page of anybody else.
pub fn is_of_our_pages(method: &Method, headers: &HeaderMap) -> bool {
    let site = headers.get(SEC_FETCH_SITE).and_then(|site| site.to_str().ok());
    if method.is_safe() {
        return matches!(site, None | Some("same-origin" | "none"));
    }
    site == Some("same-origin") && headers.contains_key(OF_CONSOLE)
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='))
}

/// A `Cookie` header without our own: no plugin sees who is logged in here. None where nothing is left.
pub fn without_ours(line: &str) -> Option<String> {
    let is_ours = |cookie: &&str| {
        let name = cookie.split('=').next().unwrap_or_default().trim();
        name == COOKIE_TLS || name == COOKIE_PLAIN
    };
    let left: Vec<&str> = line.split(';').map(str::trim).filter(|cookie| !is_ours(cookie)).collect();
    (!left.is_empty()).then(|| left.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_holds_half_a_day_and_until_somebody_logs_out() {
        let logins = Logins::default();
        let [one, two] = [(); 2].map(|()| LoginKey::of(&logins.begin(Caller::Operator).unwrap()));
        assert_eq!(logins.caller(&one), Some(Caller::Operator));
        logins.end(&one);
        assert_eq!((logins.caller(&one), logins.caller(&two)), (None, Some(Caller::Operator)));
        tokio::time::advance(LOGIN_HOLDS).await;
        assert_eq!(logins.caller(&two), None);
    }

    #[tokio::test(start_paused = true)]
    async fn logins_of_a_caller_have_a_bound_and_push_out_their_own() {
        let logins = Logins::default();
        let tenant = Caller::Tenant(crate::model::names::TenantName::new("acme").unwrap());
        let theirs = LoginKey::of(&logins.begin(tenant.clone()).unwrap());
        let first = LoginKey::of(&logins.begin(Caller::Operator).unwrap());
        for _ in 0..LOGINS_OF_CALLER {
            tokio::time::advance(Duration::from_secs(1)).await;
            logins.begin(Caller::Operator).unwrap();
        }
        assert_eq!((logins.caller(&first), logins.caller(&theirs)), (None, Some(tenant)));
        assert_eq!(logins.0.lock().len(), LOGINS_OF_CALLER + 1);
    }

    #[test]
    fn a_cookie_counts_only_where_its_name_says_and_for_our_own_pages() {
        let tls = headers(&[("host", "a.example"), ("cookie", "x=1; __Host-parlor=s")]);
        assert_eq!(login_of(&tls), Some(LoginKey::of("s")));
        assert_eq!(login_of(&headers(&[("host", "a.example"), ("cookie", "parlor=s")])), None);
        assert_eq!(login_of(&headers(&[("host", "localhost:1"), ("cookie", "parlor=s")])), Some(LoginKey::of("s")));
        let site = |site, more: &[(&'static str, &str)]| headers(&[&[("sec-fetch-site", site)][..], more].concat());
        for (method, headers, ours) in [
            (Method::GET, HeaderMap::new(), true),
            (Method::GET, site("same-origin", &[]), true),
            (Method::GET, site("cross-site", &[]), false),
            (Method::GET, site("same-site", &[]), false),
            (Method::POST, site("same-origin", &[("parlor-console", "1")]), true),
            (Method::POST, site("same-origin", &[]), false),
            (Method::POST, site("same-site", &[("parlor-console", "1")]), false),
            (Method::DELETE, headers(&[("parlor-console", "1")]), false),
        ] {
            assert_eq!(is_of_our_pages(&method, &headers), ours, "{method} {headers:?}");
        }
    }

    #[test]
    fn no_plugin_sees_the_cookie() {
        assert_eq!(without_ours("a=1; __Host-parlor=s; b=2").as_deref(), Some("a=1; b=2"));
        assert_eq!(without_ours("parlor=s"), None);
        assert_eq!(without_ours("parlors=1").as_deref(), Some("parlors=1"));
    }

    #[test]
    fn without_tls_only_this_machine_gets_a_cookie() {
        let of = |host, origin, tls| CookieTransport::of(&headers(&[("host", host), ("origin", origin)]), tls);
        assert_eq!(of("a.example", "https://a.example", false), Some(CookieTransport::Tls));
        assert_eq!(of("a.example", "http://a.example", true), Some(CookieTransport::Tls));
        assert_eq!(of("a.example", "http://a.example", false), None);
        assert_eq!(of("127.0.0.1:7070", "http://127.0.0.1:7070", false), Some(CookieTransport::Local));
        assert!(
            CookieTransport::Tls
                .cookie(Some("s"))
                .starts_with("__Host-parlor=s; Path=/; Secure; HttpOnly; SameSite=Strict")
        );
    }
}
