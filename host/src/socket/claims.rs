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

/// A client's claim to its socket. Small, since each idle socket whose client asked for one holds it: the room is in the
/// hashes of the secrets, and the user is the one behind the queue.
#[derive(Debug)]
pub struct Claim<S> {
    name: ClaimName,
    /// Whether `authorize` named the user, and has to name it again; else nobody says who a client is but its secret.
    is_named: bool,
    pub outbound: Arc<Outbound>,
    state: Mutex<ClaimState<S>>,
}

#[derive(Debug)]
struct ClaimState<S> {
    secrets: Secrets,
    next: NextLine<S>,
}

/// The line that takes over next.
#[derive(Debug)]
enum NextLine<S> {
    Nobody,
    /// It waits for what the last one hands over.
    Waits(oneshot::Sender<HandOver<S>>),
    /// The socket is gone.
    Never,
}

/// What becomes of a line that asked for a socket which is there.
#[derive(Debug)]
pub enum HandOver<S> {
    Socket(S),
    /// Another line asked for it later, and is the one that its client uses.
    AnotherLine,
}

/// Each is a hash of the room and the whole of what the client was given: blake3 compares hashes in constant time.
#[derive(Debug)]
struct Secrets {
    current: blake3::Hash,
    /// The one before, until its successor is used: a line may break before the client has that.
    before: Option<Box<OldSecret>>,
}

/// A secret that was used.
#[derive(Debug)]
struct OldSecret {
    hash: blake3::Hash,
    /// What the client was given for it. It is given the same again, since nobody knows over which of its lines it hears that.
    successor: String,
}

/// What a client brings of a session before: the secret that it was given, and the room that it asks for.
#[derive(Debug)]
pub struct GivenSecret {
    pub room: RoomKey,
    pub text: String,
}

/// What names a claim that is to be opened, and the secret that its client is given.
#[derive(Debug)]
pub struct NewClaim {
    name: ClaimName,
    pub secret: String,
    hash: blake3::Hash,
}

impl NewClaim {
    /// For a socket of this room.
    pub fn draw(room: &RoomKey) -> Result<Self, getrandom::Error> {
        let mut name = ClaimName::default();
        randomness::fill(&mut name)?;
        let (secret, hash) = new_secret(name, room)?;
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

    /// Opens a claim for a socket that begins, whose user `authorize` named, or nobody.
    pub fn open(&self, new: &NewClaim, is_named: bool, outbound: Arc<Outbound>) -> Arc<Claim<S>> {
        let claim = Arc::new(Claim::new(new, is_named, outbound));
        self.open.lock().insert(new.name, Arc::clone(&claim));
        claim
    }

    /// Ends a claim: its socket is gone.
    pub fn end(&self, claim: &Claim<S>) {
        self.open.lock().remove(&claim.name);
        claim.state.lock().next = NextLine::Never;
    }

    /// The claim of whoever knows a secret, to a socket of the room.
    pub fn find(&self, given: &GivenSecret) -> Option<Arc<Claim<S>>> {
        let bytes = BASE64URL_NOPAD.decode(given.text.as_bytes()).ok()?;
        let name = bytes.get(..NAME_BYTES)?.try_into().ok()?;
        let claim = self.open.lock().get::<ClaimName>(&name).cloned()?;
        let is_known = claim.state.lock().secrets.knows(given);
        is_known.then_some(claim)
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
    fn new(new: &NewClaim, is_named: bool, outbound: Arc<Outbound>) -> Self {
        let secrets = Secrets { current: new.hash, before: None };
        Self { name: new.name, is_named, outbound, state: Mutex::new(ClaimState { secrets, next: NextLine::Nobody }) }
    }

    /// Whether the claim is this user's; `None` is whoever nobody names.
    pub fn is_of(&self, user: Option<&str>) -> bool {
        self.outbound.visitor.user().filter(|_| self.is_named) == user
    }

    /// Asks for what the line that is there hands over: nothing where the socket is gone. A line that asked before hears that
    /// this one did. None where the secret is not known any more.
    pub fn ask(&self, given: &GivenSecret) -> Option<oneshot::Receiver<HandOver<S>>> {
        let mut state = self.state.lock();
        if !state.secrets.knows(given) {
            return None;
        }
        let (line, handed_over) = oneshot::channel();
        if !matches!(state.next, NextLine::Never) {
            if let NextLine::Waits(earlier) = std::mem::replace(&mut state.next, NextLine::Waits(line)) {
                // Whoever has given up meanwhile need not know.
                let _ = earlier.send(HandOver::AnotherLine);
            }
            self.outbound.want(true);
        }
        Some(handed_over)
    }

    /// The line that asked last. It is asked for no more.
    pub fn next_line(&self) -> Option<oneshot::Sender<HandOver<S>>> {
        let mut state = self.state.lock();
        if !matches!(state.next, NextLine::Waits(_)) {
            return None;
        }
        self.outbound.want(false);
        match std::mem::replace(&mut state.next, NextLine::Nobody) {
            NextLine::Waits(line) => Some(line),
            NextLine::Nobody | NextLine::Never => None,
        }
    }

    /// The client used this secret: answers the next one, from which on the one before this is of no use any more. None where
    /// the secret itself is not known any more.
    pub fn renew(&self, used: &GivenSecret) -> Result<Option<String>, getrandom::Error> {
        let (successor, current) = new_secret(self.name, &used.room)?;
        let (hash, secrets) = (used.hash(), &mut self.state.lock().secrets);
        if secrets.current == hash {
            *secrets = Secrets { current, before: Some(Box::new(OldSecret { hash, successor })) };
        }
        Ok(secrets.before.as_ref().filter(|before| before.hash == hash).map(|before| before.successor.clone()))
    }

    /// The client has the current secret: the one before is of no use any more.
    pub fn confirm(&self) {
        self.state.lock().secrets.before = None;
    }
}

impl Secrets {
    fn knows(&self, given: &GivenSecret) -> bool {
        let given = given.hash();
        self.current == given || self.before.as_ref().is_some_and(|before| before.hash == given)
    }
}

impl GivenSecret {
    fn hash(&self) -> blake3::Hash {
        hash(&self.room, &self.text)
    }
}

/// Names hold no NUL, so that no two pairs of a room and a text make the same.
fn hash(room: &RoomKey, text: &str) -> blake3::Hash {
    blake3::hash(format!("{room}\0{text}").as_bytes())
}

/// What a client is given: the name of its claim and a new secret.
fn new_secret(name: ClaimName, room: &RoomKey) -> Result<(String, blake3::Hash), getrandom::Error> {
    let mut bytes = [0; NAME_BYTES + SECRET_BYTES];
    bytes[..NAME_BYTES].copy_from_slice(&name);
    randomness::fill(&mut bytes[NAME_BYTES..])?;
    let given = BASE64URL_NOPAD.encode(&bytes);
    let hash = hash(room, &given);
    Ok((given, hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::{PluginKey, PluginName, RoomId, TenantName};

    fn new_claim() -> (NewClaim, Claim<()>, RoomKey) {
        let plugin =
            PluginKey { tenant: TenantName::new("tenant").unwrap(), plugin: PluginName::new("plugin").unwrap() };
        let room = RoomKey { plugin, room: RoomId::default_room() };
        let new = NewClaim::draw(&room).unwrap();
        let claim = Claim::new(&new, false, Arc::new(Outbound::sample()));
        (new, claim, room)
    }

    #[test]
    fn a_secret_whose_successor_was_used_takes_nothing_over_wherever_it_is_on_its_way() {
        let (new, claim, room) = new_claim();
        let given = |text: &str| GivenSecret { room: room.clone(), text: text.to_owned() };
        let first = given(&new.secret);
        assert!(claim.ask(&first).is_some());
        let second = given(&claim.renew(&first).unwrap().expect("it is known"));
        assert!(claim.ask(&first).is_some(), "its successor is not used yet");
        assert_eq!(claim.renew(&first).unwrap().as_ref(), Some(&second.text), "whichever line the client hears");
        claim.confirm();
        let asked = claim.ask(&second).expect("the current one");
        assert!(claim.ask(&first).is_none());
        assert_eq!(claim.renew(&first).unwrap(), None, "it does not become valid again");
        assert!(claim.ask(&first).is_none());
        claim.next_line().expect("the one that asked with the second still waits").send(HandOver::Socket(())).unwrap();
        assert!(matches!(asked.blocking_recv(), Ok(HandOver::Socket(()))));
        assert!(claim.renew(&second).unwrap().is_some());
    }

    #[test]
    fn of_two_lines_that_ask_the_first_hears_of_the_other() {
        let (new, claim, room) = new_claim();
        let given = GivenSecret { room, text: new.secret };
        let first = claim.ask(&given).expect("it is known");
        let second = claim.ask(&given).expect("it is known");
        assert!(matches!(first.blocking_recv(), Ok(HandOver::AnotherLine)));
        claim.next_line().expect("a line that waits").send(HandOver::Socket(())).unwrap();
        assert!(matches!(second.blocking_recv(), Ok(HandOver::Socket(()))));
    }
}
