//! The request for a connection, and its refusal.

use serde::de::DeserializeOwned;

use crate::{Error, host::types, log};

/// The HTTP request for a connection. The closure of [`Room::authorize`](crate::Room::authorize) gets it.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room: &mut Room| {
///     room.authorize(|req| match req.query("userId") {
///         Some(id) => Ok(Meta::new(id)),
///         None => Err(Rejection::unauthorized("say who you are")),
///     });
/// });
/// assert_eq!(room.connect("/ws?userId=ada").meta().user_id, "ada");
/// assert_eq!(room.try_connect("/ws").unwrap_err().status, 401);
/// ```
#[derive(Debug, Clone)]
pub struct Request {
    /// The absolute address as the client saw it, its query included: `ws://host/ws?token=...`.
    pub uri: String,
    /// The room that the address names: `default` unless the query has `room`.
    pub room: String,
    /// Header names in lower case, with their values, in the order of the request.
    pub headers: Vec<(String, String)>,
    /// The client's network address, without its port.
    pub remote: String,
}

impl Request {
    pub(crate) fn from_contract(request: types::Request) -> Self {
        let types::Request { uri, room, headers, remote } = request;
        Request { uri, room, headers, remote }
    }

    /// The first value of a query parameter, decoded. Invalid UTF-8 becomes U+FFFD.
    ///
    /// ```
    /// # use parlor_guest::testing::request;
    /// let req = request("/ws?name=Ada+L%C3%B3pez&flag");
    /// assert_eq!(req.query("name").as_deref(), Some("Ada López"));
    /// assert_eq!(req.query("flag").as_deref(), Some(""));
    /// assert_eq!(req.query("token"), None);
    /// ```
    pub fn query(&self, name: &str) -> Option<String> {
        let address = self.uri.split('#').next().unwrap_or_default();
        let (_, query) = address.split_once('?')?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key) == name).then(|| decode(value))
        })
    }

    /// All values of a key of the query, decoded.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn queries(&self, name: &str) -> Vec<String> {
        let address = self.uri.split('#').next().unwrap_or_default();
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.filter(|(key, _)| decode(key) == name).map(|(_, value)| decode(value)).collect()
    }

    /// The first value of a header. The case of the name does not matter.
    ///
    /// ```
    /// # use parlor_guest::testing::request;
    /// let mut req = request("/ws");
    /// req.headers.push(("authorization".into(), "Bearer t0ken".into()));
    /// assert_eq!(req.header("Authorization"), Some("Bearer t0ken"));
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// What a client of Socket.IO sent as `auth`; none of other clients. The host takes it from the client's own packet: no
    /// client can send it as a header.
    ///
    /// ```
    /// # use parlor_guest::testing::request;
    /// #[derive(serde::Deserialize)]
    /// struct Auth {
    ///     token: String,
    /// }
    ///
    /// let mut req = request("/ws");
    /// req.headers.push(("parlor-auth".into(), r#"{"token":"t0ken"}"#.into()));
    /// assert_eq!(req.auth::<Auth>()?.map(|auth| auth.token), Some("t0ken".to_owned()));
    /// # Ok::<(), parlor_guest::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// It is not what `T` is made of.
    pub fn auth<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        self.header("parlor-auth").map(|auth| serde_json::from_str(auth).map_err(Error::from)).transpose()
    }
}

/// Decodes one part of a query: `+` is a space, `%41` is `A`. A `%` without two digits stands for itself.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let pair = |high: u8, low: u8| Some(char::from(high).to_digit(16)? * 16 + char::from(low).to_digit(16)?);
        match (first, after) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, behind @ ..]) => match pair(*high, *low).and_then(|byte| u8::try_from(byte).ok()) {
                Some(byte) => {
                    bytes.push(byte);
                    rest = behind;
                }
                None => bytes.push(b'%'),
            },
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Why a connection is refused: an HTTP status and words for people.
///
/// `?` turns errors of other types into a 401 without a body, and their message goes to the log.
///
/// ```
/// use parlor_guest::Rejection;
/// let rejection = Rejection::new(429, "slow down");
/// assert_eq!((rejection.status, rejection.message.as_str()), (429, "slow down"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The HTTP status, 400 to 599; another number becomes 500.
    pub status: u16,
    /// The plain-text body of the response.
    pub message: String,
}

impl Rejection {
    /// A rejection with any status.
    ///
    /// ```
    /// assert_eq!(parlor_guest::Rejection::new(402, "pay first").status, 402);
    /// ```
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Rejection { status, message: message.into() }
    }

    /// 401: nobody knows who this is.
    ///
    /// ```
    /// assert_eq!(parlor_guest::Rejection::unauthorized("no token").status, 401);
    /// ```
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Rejection::new(401, message)
    }

    /// 403: known, and not allowed.
    ///
    /// ```
    /// assert_eq!(parlor_guest::Rejection::forbidden("members only").status, 403);
    /// ```
    pub fn forbidden(message: impl Into<String>) -> Self {
        Rejection::new(403, message)
    }

    pub(crate) fn into_contract(self) -> types::Rejection {
        types::Rejection { status: self.status, message: self.message }
    }
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        log().error(format_args!("authorize failed: {error:?}"));
        Rejection::unauthorized("")
    }
}

impl<E: std::error::Error + 'static> From<E> for Rejection {
    fn from(error: E) -> Self {
        Rejection::from(Error::from(error))
    }
}
