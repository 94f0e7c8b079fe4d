//! What each verb does.

mod checks;
mod frames;
mod lines;
mod lives;

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use form_urlencoded::Serializer;
use serde_json::{Map, Value, json};

use super::compare::differs;
use super::outcome::{StepError, StepResult, result};
use super::peer::InsidePeer;
use super::session::Harness;
use super::step::{ConnectStep, LeaveStep, MemberStep, PeerClosing, RefusedStep};
use crate::model::meta::Meta;
use crate::model::names::DEFAULT;
use crate::plugin::version::Plugin;
use crate::server::inside::InsideClient;

/// The user and the client of a socket that is to be refused.
const NOBODY: &str = "nobody";
/// The host that clients ask for.
const HOST: HeaderValue = HeaderValue::from_static("localhost");

impl Harness {
    pub(super) fn connect(&mut self, connect: ConnectStep) -> StepResult {
        let name = connect.name.clone();
        if self.peers.get(&name).is_some_and(|peer| peer.closing().is_none()) {
            return Err(StepError::new(format!("the socket {name:?} is open already")));
        }
        let peer = self.enter(connect)?;
        self.peers.insert(name, peer);
        result(())
    }

    pub(super) fn refused(&mut self, refused: RefusedStep) -> StepResult {
        let RefusedStep { path, query, headers, status, body } = refused;
        let connect = ConnectStep { name: NOBODY.to_owned(), path, query, headers, meta: None };
        let (found_status, found_body) = match self.enter(connect) {
            Ok(_) => return Err(StepError::new("it was let in")),
            Err(StepError { refused: Some(refused), .. }) => refused,
            Err(other) => return Err(other),
        };
        let found = json!([found_status, found_body]);
        let expected = json!([status.unwrap_or(found_status), body.as_ref().unwrap_or(&found_body)]);
        differs(&expected, &found).map_err(|why| StepError::new(format!("status and body: {why}")))?;
        result(json!({ "status": found_status, "body": found_body }))
    }

    /// Asks for a socket, and waits until it is a member, or was closed instead.
    fn enter(&mut self, connect: ConnectStep) -> Result<InsidePeer, StepError> {
        let plugin = self.plugin()?;
        let ConnectStep { name, path, query, headers, meta } = connect;
        let (uri, headers) = match &meta {
            Some(_) if path.is_some() || query.is_some() => {
                return Err(StepError::new("meta stands in the place of path and query: give either"));
            }
            Some(_) => (Uri::default(), HeaderMap::new()),
            None => (self.address(&plugin, &name, path, query)?, all_headers(&headers)?),
        };
        let client = match meta {
            Some(member) => {
                InsideClient::Member { plugin: &plugin, room: &self.room, meta: member_meta(&name, member, &plugin)? }
            }
            None => InsideClient::Request { uri: &uri, headers: &headers },
        };
        let (world, tenant) = (&self.world, &self.options.key.tenant);
        let peer = world
            .run(async {
                let stream = world.connect(tenant, client).await?;
                Ok(InsidePeer::begin(stream).await)
            })
            .map_err(|(status, body): (u16, String)| StepError {
                words: format!("refused with {status} {body}").trim_end().to_owned(),
                refused: Some((status, body)),
            })?;
        Ok(peer.asked_for(uri, headers))
    }

    /// The address that a step asks for: a path as it is, with the room where it names none; or the plugin's, with a query
    /// as the cases of conformance write it.
    fn address(
        &self,
        plugin: &Plugin,
        name: &str,
        path: Option<String>,
        query: Option<Map<String, Value>>,
    ) -> Result<Uri, StepError> {
        let target = match (path, query) {
            (Some(_), Some(_)) => return Err(StepError::new("the query stands in path, or in query: give either")),
            (Some(path), None) => self.with_room(path),
            (None, query) => {
                let mut all = Map::from_iter(
                    [("user", name), ("client", name)].map(|(key, value)| (key.to_owned(), value.into())),
                );
                all.extend(query.unwrap_or_default());
                let mut pairs = Serializer::new(format!("{}?", plugin.path.as_str()));
                pairs.append_pair("room", self.room.as_str());
                for (key, value) in &all {
                    match value {
                        Value::Null => {}
                        Value::String(text) => drop(pairs.append_pair(key, text)),
                        other => drop(pairs.append_pair(key, &other.to_string())),
                    }
                }
                pairs.finish()
            }
        };
        let why = |why| StepError::new(format!("{target:?} is no path with a query: {why}"));
        let uri: Uri = target.parse().map_err(why)?;
        if !target.starts_with('/') {
            return Err(StepError::new(format!("a path begins with \"/\", not as {target:?}")));
        }
        Ok(uri)
    }

    fn with_room(&self, path: String) -> String {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        if query.split('&').any(|pair| pair == "room" || pair.starts_with("room=")) {
            return path;
        }
        let room = self.room.as_str();
        match query {
            "" => format!("{}?room={room}", path.trim_end_matches('?')),
            _ => format!("{path}&room={room}"),
        }
    }

    pub(super) fn leave(&mut self, LeaveStep { who, code, reason }: &LeaveStep) -> StepResult {
        self.speaking(who)?;
        let (world, closing) = (&self.world, PeerClosing { code: *code, reason: reason.clone() });
        if let Some(peer) = self.peers.get(who) {
            world.run(peer.close(closing));
        }
        result(())
    }
}

/// The headers of a request.
fn all_headers(headers: &BTreeMap<String, String>) -> Result<HeaderMap, StepError> {
    let mut all = HeaderMap::from_iter([(axum::http::header::HOST, HOST)]);
    for (name, value) in headers {
        let read = (name.parse::<HeaderName>(), value.parse::<HeaderValue>());
        let (Ok(name), Ok(value)) = read else {
            return Err(StepError::new(format!("{name:?}: {value:?} is no header")));
        };
        all.insert(name, value);
    }
    Ok(all)
}

/// The meta of a socket that comes in past `authorize`, within the bounds that hold for every one.
fn member_meta(name: &str, member: MemberStep, plugin: &Plugin) -> Result<Meta, StepError> {
    let MemberStep { user, client, channels, fields } = member;
    let meta = Meta {
        user_id: user,
        client_id: client.unwrap_or_else(|| name.to_owned()),
        channels: channels.unwrap_or_else(|| vec![DEFAULT.to_owned()]),
        fields: Value::Object(fields).to_string(),
    };
    meta.checked(plugin.limits()).map_err(|why| StepError::new(format!("meta: {why}")))
}
