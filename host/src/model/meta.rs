//! A socket's meta: who it is, and which channels it is in.

use super::json::Json;
use super::limits::Limits;
use super::names::{DEFAULT, is_short_name};
use super::refusal::{Bound, Refusal};

/// The identity and the channels of one socket, as `authorize` or the host set them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    pub user_id: String,
    pub client_id: String,
    /// A socket connects with at least one channel. Its plugin may take it out of the last one later.
    pub channels: Vec<String>,
    /// The plugin's own fields: a JSON object as text.
    pub fields: String,
}

impl Meta {
    /// The meta that the host gives to a socket where the plugin has no `authorize`.
    pub fn anonymous(user_id: String, client_id: String, channels: Vec<String>) -> Self {
        Self { user_id, client_id, channels, fields: "{}".to_owned() }
    }

    /// The socket's first channel: the one that a frame to this socket alone carries.
    pub fn first_channel(&self) -> &str {
        self.channels.first().map_or(DEFAULT, String::as_str)
    }

    /// Checks a meta that a guest's `authorize` returned. A meta without channels gets the default one.
    pub fn checked(mut self, limits: &Limits) -> Result<Self, Refusal> {
        if !is_short_name(&self.user_id) {
            return Err(Refusal::invalid("user-id must be 1 to 128 bytes"));
        }
        if !is_short_name(&self.client_id) {
            return Err(Refusal::invalid("client-id must be 1 to 128 bytes"));
        }
        let mut seen = std::collections::HashSet::new();
        self.channels.retain(|name| seen.insert(name.clone()));
        if self.channels.is_empty() {
            self.channels.push(DEFAULT.to_owned());
        }
        if self.channels.len() > limits.channels_per_socket {
            return Err(Refusal::LimitExceeded(Bound::ChannelsPerSocket));
        }
        if let Some(bad) = self.channels.iter().find(|name| !is_short_name(name)) {
            return Err(Refusal::invalid(format!("the channel {bad:?} must be 1 to 128 bytes")));
        }
        self.fields = checked_fields(self.fields, limits)?;
        Ok(self)
    }
}

/// Checks a plugin's own fields: they must be one JSON object within `meta-fields-bytes`.
pub fn checked_fields(fields: String, limits: &Limits) -> Result<String, Refusal> {
    if fields.len() > limits.meta_fields_bytes {
        return Err(Refusal::LimitExceeded(Bound::MetaFieldsBytes));
    }
    let json = Json::parse(fields).map_err(|why| Refusal::invalid(format!("fields: {why}")))?;
    if !json.is_object() {
        return Err(Refusal::invalid("fields must be a JSON object"));
    }
    Ok(json.into_text())
}
