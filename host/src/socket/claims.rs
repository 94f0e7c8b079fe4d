//! The sockets whose clients may come back over another line: by which secret, for whom, and how many at once have none.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::model::limits::Limits;
use crate::model::names::RoomKey;
use crate::randomness;
use crate::room::outbound::Outbound;
use crate::workers::Workers;

/// The first bytes of what a client is given: they name its claim, and are all that the time of a look tells.
const NAME_BYTES: usize = 9;
/// The others are a secret: who knows it may speak for the client.
const SECRET_BYTES: usize = 18;

/// What names a claim.
type ClaimName = [u8; NAME_BYTES];

/// All sockets of the server that outlive their lines. `S` is what one line hands over to the next.
#[derive(Debug)]
pub struct Claims<S> {
    /// Where sockets without a line wait.
    pub(super) workers: Arc<Workers>,
    open: Mutex<HashMap<ClaimName, Arc<Claim<S>>>>,
    /// How many sockets without a line each address has.
    detached: Mutex<HashMap<IpAddr, usize>>,
}

/// A client's claim to its socket.
#[derive(Debug)]
pub struct Claim<S> {
    name: ClaimName,
    pub outbound: Arc<Outbound>,
    room: RoomKey,
    /// The user whom `authorize` named, and has to name again; none where nobody says who a client is but its secret.
    user: Option<String>,
    secrets: Mutex<Secrets>,
    next: Mutex<NextLine<S>>,
}

/// The line that takes over next.
#[derive(Debug)]
enum NextLine<S> {
    Nobody,
    /// It waits for what the last one hands over.
    Waits(oneshot::Sender<S>),
    /// The socket is gone.
    Never,
}

/// Each is a hash of the whole of what the client was given: blake3 compares hashes in constant time.
#[derive(Debug)]
struct Secrets {
    current: blake3::Hash,
    /// The one before, until its successor is used: a line may break before the client has that.
    before: Option<blake3::Hash>,
}

/// What names a claim that is to be opened, and the secret that its client is given.
#[derive(Debug)]
pub struct NewClaim {
    name: ClaimName,
    pub secret: String,
    hash: blake3::Hash,
}

impl NewClaim {
    pub fn draw() -> Result<Self, getrandom::Error> {
        let mut name = ClaimName::default();
        randomness::fill(&mut name)?;
        let (secret, hash) = new_secret(name)?;
        Ok(Self { name, secret, hash })
    }
}

/// A place among an address's sockets without a line, until it is dropped.
#[derive(Debug)]
pub struct DetachedPlace<S> {
    claims: Arc<Claims<S>>,
    address: Option<IpAddr>,
}

impl<S> Claims<S> {
    pub fn new(workers: Arc<Workers>) -> Self {
        Self { workers, open: Mutex::default(), detached: Mutex::default() }
    }

    /// Opens a claim for a socket that begins.
    pub fn open(&self, new: &NewClaim, room: RoomKey, user: Option<String>, outbound: Arc<Outbound>) -> Arc<Claim<S>> {
        let name = new.name;
        let secrets = Mutex::new(Secrets { current: new.hash, before: None });
        let claim = Arc::new(Claim { name, outbound, room, user, secrets, next: Mutex::new(NextLine::Nobody) });
        self.open.lock().insert(name, Arc::clone(&claim));
        claim
    }

    /// Ends a claim: its socket is gone.
    pub fn end(&self, claim: &Claim<S>) {
        self.open.lock().remove(&claim.name);
        *claim.next.lock() = NextLine::Never;
    }

    /// The claim of whoever knows a secret, to a socket of this room.
    pub fn find(&self, room: &RoomKey, given: &str) -> Option<Arc<Claim<S>>> {
        let bytes = BASE64URL_NOPAD.decode(given.as_bytes()).ok()?;
        let name = bytes.get(..NAME_BYTES)?.try_into().ok()?;
        let claim = self.open.lock().get::<ClaimName>(&name).cloned()?;
        (claim.room == *room && claim.secrets.lock().knows(given)).then_some(claim)
    }

    /// A place for a socket that loses its line; none where its address has as many as it may have connections.
    pub fn detach(self: &Arc<Self>, address: Option<IpAddr>, limits: &Limits) -> Option<DetachedPlace<S>> {
        if let Some(address) = address {
            let mut detached = self.detached.lock();
            let count = detached.entry(address).or_default();
            if *count >= limits.sockets_per_address {
                return None;
            }
            *count += 1;
        }
        Some(DetachedPlace { claims: Arc::clone(self), address })
    }
}

impl<S> Drop for DetachedPlace<S> {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut detached = self.claims.detached.lock();
        if let Some(count) = detached.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                detached.remove(&address);
            }
        }
    }
}

impl<S> Claim<S> {
    /// Whether the claim is this user's; `None` is whoever nobody names.
    pub fn is_of(&self, user: Option<&str>) -> bool {
        self.user.as_deref() == user
    }

    /// Asks for what the line that is there hands over: nothing where the socket is gone. A line that asked before gets
    /// nothing. None where the secret is not known any more.
    pub fn ask(&self, given: &str) -> Option<oneshot::Receiver<S>> {
        let secrets = self.secrets.lock();
        if !secrets.knows(given) {
            return None;
        }
        let (line, handed_over) = oneshot::channel();
        let mut next = self.next.lock();
        if !matches!(*next, NextLine::Never) {
            *next = NextLine::Waits(line);
            self.outbound.want(true);
        }
        Some(handed_over)
    }

    /// The line that asked last. It is asked for no more.
    pub fn next_line(&self) -> Option<oneshot::Sender<S>> {
        let mut next = self.next.lock();
        if !matches!(*next, NextLine::Waits(_)) {
            return None;
        }
        self.outbound.want(false);
        match std::mem::replace(&mut *next, NextLine::Nobody) {
            NextLine::Waits(line) => Some(line),
            NextLine::Nobody | NextLine::Never => None,
        }
    }

    /// The client used this secret: answers the next one, and the other one that there may be is of no use any more. None
    /// where the secret itself is not known any more.
    pub fn renew(&self, used: &str) -> Result<Option<String>, getrandom::Error> {
        let (given, current) = new_secret(self.name)?;
        let mut secrets = self.secrets.lock();
        if !secrets.knows(used) {
            return Ok(None);
        }
        *secrets = Secrets { current, before: Some(hash(used)) };
        Ok(Some(given))
    }

    /// The client has the current secret: the one before is of no use any more.
    pub fn confirm(&self) {
        self.secrets.lock().before = None;
    }
}

impl Secrets {
    fn knows(&self, given: &str) -> bool {
        let given = hash(given);
        self.current == given || self.before == Some(given)
    }
}

fn hash(given: &str) -> blake3::Hash {
    blake3::hash(given.as_bytes())
}

/// What a client is given: the name of its claim and a new secret.
fn new_secret(name: ClaimName) -> Result<(String, blake3::Hash), getrandom::Error> {
    let mut bytes = [0; NAME_BYTES + SECRET_BYTES];
    bytes[..NAME_BYTES].copy_from_slice(&name);
    randomness::fill(&mut bytes[NAME_BYTES..])?;
    let given = BASE64URL_NOPAD.encode(&bytes);
    let hash = hash(&given);
    Ok((given, hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::{PluginKey, PluginName, RoomId, TenantName};

    #[test]
    fn a_secret_whose_successor_was_used_takes_nothing_over_wherever_it_is_on_its_way() {
        let new = NewClaim::draw().unwrap();
        let plugin =
            PluginKey { tenant: TenantName::new("tenant").unwrap(), plugin: PluginName::new("plugin").unwrap() };
        let claim: Claim<()> = Claim {
            name: new.name,
            outbound: Arc::new(Outbound::sample()),
            room: RoomKey { plugin, room: RoomId::default_room() },
            user: None,
            secrets: Mutex::new(Secrets { current: new.hash, before: None }),
            next: Mutex::new(NextLine::Nobody),
        };
        let first = &new.secret;
        assert!(claim.ask(first).is_some());
        let second = claim.renew(first).unwrap().expect("it is known");
        assert!(claim.ask(first).is_some(), "its successor is not used yet");
        claim.confirm();
        let asked = claim.ask(&second).expect("the current one");
        assert!(claim.ask(first).is_none());
        assert_eq!(claim.renew(first).unwrap(), None, "it does not become valid again");
        assert!(claim.ask(first).is_none());
        claim.next_line().expect("the one that asked with the second still waits").send(()).unwrap();
        asked.blocking_recv().unwrap();
        assert!(claim.renew(&second).unwrap().is_some());
    }
}
