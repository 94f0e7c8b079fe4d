//! What the actor can do: the room that the current turn belongs to.

use std::fmt;

use serde::Serialize;

use crate::{
    Actor, AlarmClock, Channel, Elsewhere, Event, History, Log, Result, Room, Selection, Socket, SocketId, Storage,
    Target, Timers,
    host::{self, outbox, sockets},
    log,
    message::Message,
};

impl Actor {
    pub(crate) fn new(room: Room, event: Event) -> Self {
        Actor { room, event }
    }

    /// Sends to every socket of the channel `default`, the sender included. Returns how many sockets that are. See
    /// [`Ctx::emit`](crate::Ctx::emit) for limits and errors.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn announce(ctx: &Ctx, text: String) -> Result<u32> {
    ///     ctx.actor().emit("announcement", json!({ "message": text, "timestamp": ctx.now() }))
    /// }
    /// ```
    #[doc(alias = "broadcast")]
    pub fn emit(&self, event: &str, data: impl Serialize) -> Result<u32> {
        Message::of(&data)?.say(|data| outbox::to_channel("default", event, data))
    }

    /// Emits to every socket of a channel, the sender included.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn headline(ctx: &Ctx, text: String) -> Result<u32> {
    ///     ctx.actor().to("news").emit("headline", json!({ "text": text }))
    /// }
    /// ```
    pub fn to<'a>(&self, channel: &'a str) -> Channel<'a> {
        Channel::new(channel)
    }

    /// Emits to every socket of a user in this room.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn whisper(ctx: &Ctx, to: String) -> Result<u32> {
    ///     ctx.actor().to_user(&to).emit("whisper", json!({ "from": ctx.meta().user_id }))
    /// }
    /// ```
    #[doc(alias = "send_to_user")]
    pub fn to_user<'a>(&self, user_id: &'a str) -> Target<'a> {
        Target::user(user_id)
    }

    /// Emits to the sockets with these client ids. A client that is named twice gets the event once.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn deal(ctx: &Ctx, players: Vec<String>) -> Result<u32> {
    ///     ctx.actor().to_clients(players).emit("cards", json!({ "round": 1 }))
    /// }
    /// ```
    pub fn to_clients<C: Into<String>>(&self, client_ids: impl IntoIterator<Item = C>) -> Target<'static> {
        Target::clients(client_ids)
    }

    /// Emits to some sockets of a channel: of these users, with these client ids, without others.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn deal(ctx: &Ctx, players: Vec<String>) -> Result<u32> {
    ///     ctx.actor().to_some("table").users(players).emit("cards", json!({ "round": 1 }))
    /// }
    /// ```
    pub fn to_some<'a>(&self, channel: &'a str) -> Selection<'a> {
        Selection::new(channel)
    }

    /// Emits into another room of this plugin (`lobby`), or of another plugin of the same tenant (`inbox/lobby`).
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn tell_lobby(ctx: &Ctx) -> Result {
    ///     ctx.actor().to_room("lobby").channel("default").emit("opened", json!({ "room": ctx.actor().room_id() }))
    /// }
    /// ```
    pub fn to_room<'a>(&self, room: &'a str) -> Elsewhere<'a> {
        Elsewhere::new(room)
    }

    /// The sockets that are connected, in ascending order.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn close_all(ctx: &Ctx) -> Result {
    ///     ctx.actor().sockets().into_iter().try_for_each(|id| ctx.socket(id).close(1000, "closing time"))
    /// }
    /// ```
    pub fn sockets(&self) -> Vec<SocketId> {
        self.room.runtime.or_note(sockets::present(None))
    }

    /// The connected sockets of a user, in ascending order.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn tabs(ctx: &Ctx) -> usize {
    ///     ctx.actor().sockets_of(&ctx.meta().user_id).len()
    /// }
    /// ```
    pub fn sockets_of(&self, user_id: &str) -> Vec<SocketId> {
        self.room.runtime.or_note(sockets::present(Some(user_id)))
    }

    /// The sockets that are in a channel, in ascending order: those behind `after` where it is given, up to `limit`, 1 to
    /// 1,000.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn first_in_line(ctx: &Ctx) -> Result<Option<SocketId>> {
    ///     Ok(ctx.actor().sockets_in("queue", None, 1)?.first().copied())
    /// }
    /// ```
    pub fn sockets_in(&self, channel: &str, after: Option<SocketId>, limit: u32) -> Result<Vec<SocketId>> {
        Ok(sockets::of_channel(channel, after, limit)?)
    }

    /// What was said to the channels whose history [`Room::keep_history`] has kept.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn bookmark(ctx: &Ctx) -> Result {
    ///     ctx.storage().put("read-up-to", ctx.history().position("default")?)
    /// }
    /// ```
    pub fn history(&self) -> History {
        History::new()
    }

    /// Finds a socket of this room by its id, which [`Ctx::id`](crate::Ctx::id) returned before.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn kick(ctx: &Ctx, id: SocketId) -> Result {
    ///     ctx.actor().socket(id).close(1008, "kicked")
    /// }
    /// ```
    pub fn socket(&self, id: SocketId) -> Socket<'_> {
        Socket::new(&self.room.runtime.metas, id)
    }

    /// The socket that caused this turn; `None` if the host caused it. In [`Room::on_error`] the socket may have left.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn play(room: &mut Room) {
    ///     room.on_error(|actor, failed| match actor.cause() {
    ///         Some(id) => actor.socket(id).emit("sorry", json!({ "event": failed.event })),
    ///         None => Ok(0),
    ///     });
    /// }
    /// ```
    pub fn cause(&self) -> Option<SocketId> {
        self.event.socket()
    }

    /// How many sockets are connected.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn count(ctx: &Ctx, _: Value) -> Result<u32> {
    ///     ctx.emit("count", json!({ "sockets": ctx.actor().session_count() }))
    /// }
    /// ```
    pub fn session_count(&self) -> u32 {
        self.room.runtime.or_note(host::room::session_count())
    }

    /// The ids of the connected users, each once, in ascending order.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn who(ctx: &Ctx, _: Value) -> Result<u32> {
    ///     ctx.emit("who", json!({ "users": ctx.actor().user_ids() }))
    /// }
    /// ```
    pub fn user_ids(&self) -> Vec<String> {
        self.room.runtime.or_note(host::room::user_ids())
    }

    /// The room's id, as clients name it in `?room=`.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn where_am_i(ctx: &Ctx, _: Value) -> Result<u32> {
    ///     ctx.emit("room", json!({ "id": ctx.actor().room_id() }))
    /// }
    /// ```
    pub fn room_id(&self) -> String {
        let known = &self.room.runtime.room_id;
        if let Some(id) = known.get() {
            return id.clone();
        }
        match host::room::id() {
            Ok(id) => known.get_or_init(|| id).clone(),
            Err(refusal) => self.room.runtime.or_note(Err(refusal)),
        }
    }

    /// The event of this turn.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn log_it(ctx: &Ctx, _: Value) {
    ///     ctx.log().info(ctx.event().name());
    /// }
    /// ```
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// When the room accepted this event, in milliseconds since the Unix epoch. Every call in a turn returns the same.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn ping(ctx: &Ctx, _: Value) -> Result<u32> {
    ///     ctx.emit("pong", json!({ "timestamp": ctx.now() }))
    /// }
    /// ```
    pub fn now(&self) -> u64 {
        self.event.accepted_at()
    }

    /// The room's own keys and values.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn visit(ctx: &Ctx) -> Result {
    ///     let visits: u32 = ctx.storage().get("visits")?.unwrap_or(0);
    ///     ctx.storage().put("visits", visits + 1)
    /// }
    /// ```
    pub fn storage(&self) -> Storage {
        Storage::new()
    }

    /// The room's timers. They live in memory: a restart of the server loses them.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn start(ctx: &Ctx, _: Value) -> Result {
    ///     ctx.timers().set("round", Duration::from_secs(30), json!({ "round": 1 }))
    /// }
    /// ```
    pub fn timers(&self) -> Timers {
        Timers::new()
    }

    /// The room's one alarm. It is durable: a restart of the server does not lose it.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn open(ctx: &Ctx, ends_at: u64) -> Result {
    ///     ctx.storage().put("ends", ends_at)?;
    ///     ctx.alarm().set_at(ends_at)
    /// }
    /// ```
    pub fn alarm(&self) -> AlarmClock {
        AlarmClock::new(self.now())
    }

    /// The plugin's log.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn note(ctx: &Ctx, _: Value) {
    ///     ctx.log().info("noted");
    /// }
    /// ```
    pub fn log(&self) -> Log {
        log()
    }

    /// The value of a key of the plugin's configuration, if the operator set one; see [`config`](crate::config).
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn greet(ctx: &Ctx) -> Result<u32> {
    ///     ctx.emit("welcome", json!({ "text": ctx.config("greeting").unwrap_or("hello".into()) }))
    /// }
    /// ```
    pub fn config(&self, key: &str) -> Option<String> {
        crate::config(key)
    }

    /// Random bytes that nobody can predict; see [`random_bytes`](crate::random_bytes).
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn roll(ctx: &Ctx, _: Value) -> Result<u32> {
    ///     ctx.emit("rolled", json!({ "eyes": ctx.random_bytes(1)[0] % 6 + 1 }))
    /// }
    /// ```
    pub fn random_bytes(&self, count: usize) -> Vec<u8> {
        crate::random_bytes(count)
    }

    /// A random id of 32 hexadecimal digits; see [`random_id`](crate::random_id).
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn open_table(ctx: &Ctx, _: Value) -> Result {
    ///     ctx.join(&ctx.random_id())
    /// }
    /// ```
    pub fn random_id(&self) -> String {
        crate::random_id()
    }

    /// The room, to add and remove handlers. The event that runs now keeps the handlers that it began with.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn start(ctx: &Ctx, _: Value) {
    ///     ctx.room().on("move", |ctx, to: Value| ctx.actor().emit("moved", to));
    ///     ctx.room().off_all("start");
    /// }
    /// ```
    pub fn room(&self) -> &Room {
        &self.room
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor").field("event", &self.event).finish_non_exhaustive()
    }
}
