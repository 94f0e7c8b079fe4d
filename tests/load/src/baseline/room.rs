//! A room: one task that owns its members, and a mailbox.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::frames::{Event, encode};

/// Events that wait for a room, as in Parlor.
const MAILBOX_EVENTS: usize = 1_024;
/// Frames that wait for a socket, as in Parlor; a socket that lets more pile up is cut off.
pub const OUTBOUND_FRAMES: usize = 4_096;

/// What `recall` looks up.
pub const KEYS: [&str; 3] = ["first", "second", "third"];

/// A frame's text, shared by all its receivers.
pub trait Text: Clone + From<String> + Deref<Target = str> + Send + 'static {}
impl<T: Clone + From<String> + Deref<Target = str> + Send + 'static> Text for T {}

/// What a room is told.
pub enum Mail<T> {
    /// A socket has connected; its frames go to `outbound`.
    Join { socket: u64, outbound: Sender<T> },
    /// A socket sent an event.
    Event { socket: u64, event: Event },
    /// A socket has gone.
    Leave { socket: u64 },
}

/// Where a room's mail goes.
pub type Mailbox<T> = Sender<Mail<T>>;

/// The open rooms of one runtime.
pub struct Rooms<T> {
    open: Arc<Mutex<HashMap<String, Mailbox<T>>>>,
    runtime: Handle,
}

impl<T> Clone for Rooms<T> {
    fn clone(&self) -> Self {
        Self { open: self.open.clone(), runtime: self.runtime.clone() }
    }
}

impl<T: Text> Rooms<T> {
    /// No room is open yet; those that open run on `runtime`.
    pub fn new(runtime: Handle) -> Self {
        Self { open: Arc::default(), runtime }
    }

    /// Enters a room, opening it where it is not. Waits while its mailbox is full.
    pub async fn join(&self, room: &str, socket: u64, outbound: Sender<T>) -> Mailbox<T> {
        let mut mail = Mail::Join { socket, outbound };
        loop {
            let mailbox = match self.try_join(room, mail) {
                Ok(mailbox) => return mailbox,
                Err((mailbox, returned)) => {
                    mail = returned;
                    mailbox
                }
            };
            // Only a full mailbox gets here: wait for room in it, and try again.
            drop(mailbox.reserve().await);
        }
    }

    /// Sent under the lock, so that a room that closes (also under the lock) sees who has just entered.
    fn try_join(&self, room: &str, mail: Mail<T>) -> Result<Mailbox<T>, (Mailbox<T>, Mail<T>)> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mailbox = match open.get(room) {
            Some(mailbox) => mailbox.clone(),
            None => {
                let (mailbox, mails) = channel(MAILBOX_EVENTS);
                open.insert(room.to_owned(), mailbox.clone());
                let actor = Actor {
                    members: Members::default(),
                    kept: HashMap::new(),
                    rooms: self.clone(),
                    name: room.to_owned(),
                };
                self.runtime.spawn(actor.run(mails));
                mailbox
            }
        };
        match mailbox.try_send(mail) {
            Ok(()) => Ok(mailbox),
            Err(TrySendError::Full(mail) | TrySendError::Closed(mail)) => Err((mailbox, mail)),
        }
    }

    /// Forgets a room that nobody is in and nobody is entering; says whether it did.
    fn close(&self, room: &str, mails: &Receiver<Mail<T>>) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = mails.is_empty();
        if idle {
            open.remove(room);
        }
        idle
    }
}

struct Actor<T> {
    members: Members<T>,
    kept: HashMap<&'static str, String>,
    rooms: Rooms<T>,
    name: String,
}

impl<T: Text> Actor<T> {
    async fn run(mut self, mut mails: Receiver<Mail<T>>) {
        while let Some(mail) = mails.recv().await {
            match mail {
                Mail::Join { socket, outbound } => self.members.insert(socket, outbound),
                Mail::Event { socket, event: Event::Echo(note) } => {
                    self.members.send_to(socket, encode("echo", &note).into());
                }
                Mail::Event { socket, event: Event::Recall(note) } => {
                    for key in KEYS {
                        self.kept.entry(key).or_insert_with(|| note.text.clone());
                    }
                    self.members.send_to(socket, encode("recall", &note).into());
                }
                Mail::Event { event: Event::Say(note), .. } => self.members.send_to_all(encode("say", &note).into()),
                Mail::Leave { socket } => {
                    self.members.remove(socket);
                    if self.members.list.is_empty() && self.rooms.close(&self.name, &mails) {
                        return;
                    }
                }
            }
        }
    }
}

/// The sockets of a room: a list for fan-out, and each socket's place in it.
struct Members<T> {
    list: Vec<(u64, Sender<T>)>,
    places: HashMap<u64, usize>,
}

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self { list: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Text> Members<T> {
    fn insert(&mut self, socket: u64, outbound: Sender<T>) {
        self.places.insert(socket, self.list.len());
        self.list.push((socket, outbound));
    }

    /// Dropping the sender tells the connection that it is out.
    fn remove(&mut self, socket: u64) {
        if let Some(place) = self.places.remove(&socket) {
            self.list.swap_remove(place);
            if let Some((moved, _)) = self.list.get(place) {
                self.places.insert(*moved, place);
            }
        }
    }

    fn send_to(&mut self, socket: u64, frame: T) {
        if let Some(&place) = self.places.get(&socket)
            && self.list[place].1.try_send(frame).is_err()
        {
            self.remove(socket);
        }
    }

    fn send_to_all(&mut self, frame: T) {
        let mut slow = Vec::new();
        for (socket, outbound) in &self.list {
            if outbound.try_send(frame.clone()).is_err() {
                slow.push(*socket);
            }
        }
        for socket in slow {
            self.remove(socket);
        }
    }
}
