//! Who is connected.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result, host::types, random_id};

/// Who a socket belongs to, its channels, and fields of your own.
///
/// Returned by [`Room::authorize`](crate::Room::authorize)'s closure, read with
/// [`Ctx::meta`](crate::Ctx::meta). A meta that you hold is a copy: later joins, leaves and changes of fields do
/// not change it.
///
/// ```
/// use parlor_guest::prelude::*;
///
/// #[derive(Serialize, Deserialize, Debug, PartialEq)]
/// struct Profile { username: String }
///
/// # fn main() -> Result {
/// let meta = Meta::new("u-17").in_channels(["notifications"]).with_fields(&Profile { username: "Ada".into() })?;
/// assert_eq!(meta.user_id, "u-17");
/// assert!(meta.is_in("notifications"));
/// assert_eq!(meta.fields::<Profile>()?.username, "Ada");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Who is connected: 1 to 128 bytes. One user may hold several sockets.
    pub user_id: String,
    /// Which connection this is: 1 to 128 bytes, random unless you chose it.
    pub client_id: String,
    /// The channels that the socket is in: up to 64 names of 1 to 128 bytes. None in an answer of `authorize` means
    /// `default`.
    pub channels: Vec<String>,
    fields: String,
}

impl Meta {
    /// A user's new connection: a random client id, the channel `default`, no fields.
    ///
    /// ```
    /// use parlor_guest::Meta;
    /// assert_ne!(Meta::new("ada").client_id, Meta::new("ada").client_id);
    /// ```
    pub fn new(user_id: impl Into<String>) -> Self {
        Meta { user_id: user_id.into(), client_id: random_id(), channels: Vec::new(), fields: "{}".to_owned() }
    }

    /// A stranger: a random user id as well.
    ///
    /// ```
    /// use parlor_guest::Meta;
    /// assert_ne!(Meta::anonymous().user_id, Meta::anonymous().user_id);
    /// ```
    pub fn anonymous() -> Self {
        Meta::new(random_id())
    }

    /// Sets the client id.
    ///
    /// ```
    /// use parlor_guest::Meta;
    /// assert_eq!(Meta::new("ada").with_client_id("phone").client_id, "phone");
    /// ```
    #[must_use]
    pub fn with_client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = client_id.into();
        self
    }

    /// Sets the channels, instead of `default`.
    ///
    /// ```
    /// use parlor_guest::Meta;
    /// assert_eq!(Meta::new("ada").in_channels(["a", "b"]).channels, ["a", "b"]);
    /// ```
    #[must_use]
    pub fn in_channels<C: Into<String>>(mut self, channels: impl IntoIterator<Item = C>) -> Self {
        self.channels = channels.into_iter().map(Into::into).collect();
        self
    }

    /// Sets your own fields: up to 4 KiB of JSON. Fails with `invalid` if `fields` is no JSON object.
    ///
    /// ```
    /// use parlor_guest::{Meta, json};
    /// assert!(Meta::new("ada").with_fields(&json!({ "role": "admin" })).is_ok());
    /// assert!(Meta::new("ada").with_fields(&json!("admin")).is_err());
    /// ```
    pub fn with_fields<T: Serialize + ?Sized>(mut self, fields: &T) -> Result<Self> {
        self.fields = fields_text(fields)?;
        Ok(self)
    }

    /// Reads your own fields as a type of yours. Fails with `json` if they do not fit the type.
    ///
    /// ```
    /// use parlor_guest::{Meta, Value};
    /// assert_eq!(Meta::new("ada").fields::<Value>().unwrap(), parlor_guest::json!({}));
    /// ```
    pub fn fields<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_str(&self.fields)?)
    }

    /// Whether the socket is in this channel.
    ///
    /// ```
    /// use parlor_guest::Meta;
    /// assert!(!Meta::new("ada").in_channels(["news"]).is_in("admin"));
    /// ```
    pub fn is_in(&self, channel: &str) -> bool {
        self.channels.iter().any(|name| name == channel)
    }

    pub(crate) fn into_contract(self) -> types::Meta {
        let Meta { user_id, client_id, channels, fields } = self;
        types::Meta { user_id, client_id, channels, fields }
    }

    pub(crate) fn from_contract(meta: types::Meta) -> Self {
        let types::Meta { user_id, client_id, channels, fields } = meta;
        Meta { user_id, client_id, channels, fields }
    }

    /// Stands in if the host refused to return the meta. The turn fails then.
    pub(crate) fn unknown() -> Self {
        Meta { user_id: String::new(), client_id: String::new(), channels: Vec::new(), fields: "{}".to_owned() }
    }
}

/// A socket's own fields as the contract carries them: one JSON object.
pub(crate) fn fields_text<T: Serialize + ?Sized>(fields: &T) -> Result<String> {
    let text = serde_json::to_string(fields)?;
    if text.starts_with('{') { Ok(text) } else { Err(Error::new("invalid", "a socket's fields are a JSON object")) }
}
