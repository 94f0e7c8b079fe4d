"""A plugin's room: what it does at events, and what handlers do with it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Callable, TypeVar, overload

from . import _host
from ._errors import RoomError
from ._handlers import Handler, Handlers
from ._host import need_text
from ._presence import Presences
from ._reach import Reach
from .context import AskAnswer, Ctx, Disconnect, Due, FailedTurn, Suspended
from .history import History, Keeping
from .later import Alarm, Log, Timers
from .storage import Storage

F = TypeVar("F", bound=Callable[..., Any])

_PATH = re.compile(r"/[/A-Za-z0-9._~-]{0,127}")
_SCHEMA_BYTES = 128

defined: list[Room] = []
"""The plugin's room, once it has one."""


class Room(Reach):
    """The room of a plugin: made once, at the top level of its module.

    >>> from dataclasses import dataclass
    >>> from parlor import Ctx, Room, reject
    >>> room = Room("chat", path="/ws")
    >>> @dataclass
    ... class ChatMessage:
    ...     text: str
    >>> @room.on("chat.message")
    ... def chat_message(ctx: Ctx, message: ChatMessage) -> None:
    ...     if not message.text.strip():
    ...         reject("chat.empty", "say something first")
    ...     room.emit("chat.message", {"from": ctx.meta.user_id, "text": message.text})
    """

    def __init__(self, name: str = "room", path: str = "/ws") -> None:
        fits = _PATH.fullmatch(path) and ".." not in path and not path.startswith("/t/")
        if not fits or path == "/_parlor" or path.startswith("/_parlor/"):
            raise RoomError(
                "invalid",
                "Room: path must be 1 to 128 bytes of /A-Za-z0-9._~- that begin with /, without .., not below /t/ and not "
                f"/_parlor or below it; it is {path!r}",
            )
        if defined and _host.IN_COMPONENT:
            raise RoomError("invalid", "a plugin has one room, and this is the second Room: make two plugins of them")
        self.name = need_text(name, "the room's name")
        self.path = path
        self.handlers = Handlers()
        self.storage = Storage()
        """The room's own keys and values."""
        self.timers = Timers()
        """What is to run soon."""
        self.alarm = Alarm()
        """What is to run, come what may."""
        self.log = Log()
        """The plugin's log."""
        self.history = History()
        """What was said lately to channels."""
        self.keeping: list[Keeping] = []
        self.presences = Presences()
        self.authorizer: Callable[..., Any] | None = None
        self.starters: list[Callable[[], object]] = []
        self._resumes: dict[str, Handler] = {}
        self._resume_any: Handler | None = None
        self._suspend: Callable[..., Any] | None = None
        defined.append(self)

    # What the room does at events.

    @overload
    def on(self, event: str) -> Callable[[F], F]: ...
    @overload
    def on(self, event: str, handler: F) -> F: ...

    def on(self, event: str, handler: Any = None) -> Any:
        """Marks a handler of an event of clients, or of all (``*``). It is given the context, and the data as the type that
        its second parameter says: a dataclass, or a type of JSON. What it returns answers a client that waits.

        >>> from dataclasses import dataclass
        >>> room = Room("sum")
        >>> @dataclass
        ... class Numbers:
        ...     a: int
        ...     b: int = 0
        >>> @room.on("add")
        ... async def add(ctx: Ctx, numbers: Numbers) -> int:
        ...     return numbers.a + numbers.b
        """
        return self._mark(self.handlers.events, event, handler)

    def off(self, event: str, handler: Callable[..., Any] | None = None) -> bool:
        """Removes a handler, or all of an event; whether there was one. The events of ``on_message``, ``on_alarm`` and the like
        are ``$message``, ``$alarm`` and so on.

        >>> room = Room("once")
        >>> @room.on("first")
        ... def first(ctx: Ctx) -> None:
        ...     room.off("first", first)
        >>> room.off("first", first), room.off("first")
        (True, False)
        >>> @room.on_message
        ... def unknown(ctx: Ctx) -> None: ...
        >>> room.off("$message", unknown)
        True
        """
        if event == "$resume" and self._forget_resumes(handler):
            return True
        return self.handlers.remove(self.handlers.events, event, handler)

    @overload
    def on_timer(self, name: str) -> Callable[[F], F]: ...
    @overload
    def on_timer(self, name: str, handler: F) -> F: ...

    def on_timer(self, name: str, handler: Any = None) -> Any:
        """Marks what runs when a timer of this name is due: see :class:`Timers`."""
        return self._mark(self.handlers.timers, name, handler)

    def off_timer(self, name: str, handler: Callable[..., Any] | None = None) -> bool:
        """Removes what runs for a timer; whether there was anything."""
        return self.handlers.remove(self.handlers.timers, name, handler)

    @overload
    def on_ack(self, name: str) -> Callable[[F], F]: ...
    @overload
    def on_ack(self, name: str, handler: F) -> F: ...

    def on_ack(self, name: str, handler: Any = None) -> Any:
        """Marks what is given the answers to asks of this name, an :class:`AskAnswer` each: see :meth:`Socket.ask`."""
        return self._mark(self.handlers.acks, name, handler, AskAnswer)

    def off_ack(self, name: str, handler: Callable[..., Any] | None = None) -> bool:
        """Removes what is given answers; whether there was anything."""
        return self.handlers.remove(self.handlers.acks, name, handler)

    def on_connect(self, handler: F) -> F:
        """Marks what runs when a socket has come in.

        >>> room = Room("lobby")
        >>> @room.on_connect
        ... def connect(ctx: Ctx) -> None:
        ...     ctx.emit("welcome", {"you": ctx.meta.user_id, "users": room.user_ids()})
        """
        return self._hook("$connect", handler)

    def on_disconnect(self, handler: F) -> F:
        """Marks what runs when a socket has ended, with a :class:`Disconnect`.

        >>> room = Room("lobby")
        >>> @room.on_disconnect
        ... def disconnect(ctx: Ctx, end: Disconnect) -> None:
        ...     room.emit("left", {"user": ctx.meta.user_id, "code": end.code})
        """
        return self._hook("$disconnect", handler, Disconnect)

    def on_start(self, handler: F) -> F:
        """Marks what runs when an instance begins, before its first event: the place for what depends on the configuration. It is
        given nothing, and is no turn: storage, sockets and emits raise an error with the code ``no-turn``.

        >>> room = Room("news")
        >>> @room.on_start
        ... def start() -> None:
        ...     room.keep_history("headlines", entries=int(room.config("headlines") or 100))
        """
        self.starters.append(handler)
        return handler

    def on_user_join(self, handler: F) -> F:
        """Marks what runs when the first socket of a user has come into the room, with the user's id."""
        self._with("$user-join", handler, lambda ctx: ctx.data["userId"])
        return handler

    def on_user_leave(self, handler: F) -> F:
        """Marks what runs when the last socket of a user has left the room, with the user's id. A socket that only lost its line has
        not left before it can come back no more.

        >>> room = Room("lobby")
        >>> @room.on_user_leave
        ... def left(ctx: Ctx, user_id: str) -> None:
        ...     room.storage.delete(f"typing/{user_id}")
        """
        self._with("$user-leave", handler, lambda ctx: ctx.data["userId"])
        return handler

    def on_lost(self, handler: F) -> F:
        """Marks what runs when the line of a socket broke that can come back: it is a member as ever, and what is emitted to it
        waits. Either ``on_back`` or ``on_disconnect`` follows."""
        return self._hook("$lost", handler)

    def on_back(self, handler: F) -> F:
        """Marks what runs when a socket is back whose line broke."""
        return self._hook("$back", handler)

    def keep_history(
        self, channel: str, *, entries: int = 100, seconds: float | timedelta = 86400, durable: bool = False
    ) -> None:
        """Lets the host keep what is said to a channel, for clients that come back (``?since=``) and for ``room.history``: the last
        entries, 1 to 1,000, that are not older than so long, up to 30 days. In memory, or in the room's storage where it is durable.
        At the top level of the module or when an instance begins (``on_start``), for up to 16 channels.

        >>> room = Room("news")
        >>> room.keep_history("headlines", entries=50, seconds=600)
        """
        self.keeping.append(Keeping(channel, entries, seconds, durable))

    def presence(self, channel: str) -> None:
        """Tells the sockets of a channel who is in it, once a turn is over that changed that. A newcomer gets ``presence.state``,
        ``{"channel", "users": [{"userId", "clients"}]}``, itself among them, in ascending order; of more users than fit into 128 KiB,
        ``"more"`` says how many are left out. The others get ``presence.join`` with the first socket of a user, and
        ``presence.leave`` with the last: ``{"channel", "userId"}``. None of this is in the channel's history.

        >>> room = Room("lobby")
        >>> room.presence("default")
        """
        if self.presences.follow(need_text(channel, "a channel")):
            for hook in ("$connect", "$disconnect", "$error"):
                self.handlers.add(self.handlers.events, hook, Handler(_nothing))

    def on_message(self, handler: F) -> F:
        """Marks what runs for events of clients that have no handler of their own, with their :class:`Frame`.

        >>> from parlor import Frame
        >>> room = Room("lobby")
        >>> @room.on_message
        ... def message(ctx: Ctx, frame: Frame) -> None:
        ...     room.log.warn("nobody handles", frame["type"])
        """
        self._with("$message", handler, lambda ctx: ctx.frame)
        return handler

    def on_error(self, handler: F) -> F:
        """Marks what runs when a turn has failed, with a :class:`FailedTurn`.

        >>> room = Room("lobby")
        >>> @room.on_error
        ... def failed(ctx: Ctx, turn: FailedTurn) -> None:
        ...     ctx.emit("sorry", {"event": turn.event})
        """
        return self._hook("$error", handler, FailedTurn)

    def on_restore(self, handler: F) -> F:
        """Marks what runs in a new instance without the memory of the one before: ``crash``, ``restart``, ``wake`` or ``swap``.

        >>> room = Room("lobby")
        >>> @room.on_restore
        ... def restore(ctx: Ctx, reason: str) -> None:
        ...     room.log.info("again here after", reason)
        """
        self._with("$restore", handler, lambda ctx: ctx.data["reason"])
        return handler

    def on_check(self, handler: F) -> F:
        """Marks what runs after each step of ``parlor simulate``, never in a server: raise where what must hold does not."""
        return self._hook("$check", handler)

    def on_alarm(self, handler: F) -> F:
        """Marks what runs when the alarm is due, with a :class:`Due`: see :class:`Alarm`."""
        self._with("$alarm", handler, lambda ctx: Due(ctx.data["due"] / 1000, ctx.data["attempt"]))
        return handler

    def on_suspend(self, schema: str) -> Callable[[F], F]:
        """Marks what answers the state that the next instance is given, with the reason: ``sleep`` or ``swap``. The last
        one that is marked counts.

        >>> room = Room("game")
        >>> board = {"turn": 0}
        >>> @room.on_suspend("board/1")
        ... def save(ctx: Ctx) -> dict[str, int]:
        ...     return board
        >>> @room.on_resume("board/1")
        ... def load(ctx: Ctx, state: dict[str, int]) -> None:
        ...     board.update(state)
        """
        _need_schema(schema, "on_suspend")

        def mark(function: F) -> F:
            handler, previous = Handler(function), self._suspend

            def save(ctx: Ctx) -> None:
                ctx.leave_state({"schema": schema, "state": handler.run(ctx, ctx.data["reason"])})

            self.handlers.add(self.handlers.events, "$suspend", Handler(save, marked=function))
            if previous is not None:
                self.handlers.remove(self.handlers.events, "$suspend", previous)
            self._suspend = function
            return function

        return mark

    def on_resume(self, schema: str) -> Callable[[F], F]:
        """Marks what takes over a state of this schema, as the type that its second parameter says."""
        _need_schema(schema, "on_resume")

        def mark(handler: F) -> F:
            self._resumes[schema] = Handler(handler)
            self._hook_resume()
            return handler

        return mark

    def on_resume_any(self, handler: F) -> F:
        """Marks what takes over a state of any other schema, a :class:`Suspended`.

        >>> room = Room("game")
        >>> @room.on_resume_any
        ... def older(ctx: Ctx, found: Suspended) -> None:
        ...     room.log.warn("a state of", found.schema, "is left behind")
        """
        self._resume_any = Handler(handler)
        self._hook_resume()
        return handler

    def authorize(self, handler: F) -> F:
        """Marks what says who connects: it is given a :class:`Request`, and answers a :class:`Meta`, or None to leave it to
        the host. It runs in an instance that belongs to no room.

        >>> from parlor import Meta, Rejection, Request
        >>> room = Room("members")
        >>> @room.authorize
        ... def who(request: Request) -> Meta:
        ...     if request.query.get("token") != room.config("token"):
        ...         raise Rejection(401, "members only")
        ...     return Meta(request.query["user"])
        """
        Handler(handler, most=1)
        self.authorizer = handler
        return handler

    # How it registers.

    def _mark(self, table: Any, name: str, handler: Any, kind: Any = None) -> Any:
        def mark(function: F) -> F:
            self.handlers.add(table, name, _typed(function, kind))
            return function

        return mark if handler is None else mark(handler)

    def _hook(self, event: str, handler: F, kind: Any = None) -> F:
        self.handlers.add(self.handlers.events, event, _typed(handler, kind))
        return handler

    def _with(self, event: str, function: Callable[..., Any], given: Callable[[Ctx], Any]) -> None:
        handler = Handler(function)
        handler.accept(Any)
        self.handlers.add(self.handlers.events, event, Handler(lambda ctx: handler.run(ctx, given(ctx)), marked=function))

    def _hook_resume(self) -> None:
        # One handler of the hook stands for those of all schemas.
        if "$resume" not in self.handlers.events:
            self.handlers.add(self.handlers.events, "$resume", Handler(self._give))

    def _forget_resumes(self, function: Callable[..., Any] | None) -> bool:
        """Forgets what takes over states: this function, or all; whether there was one that is this function."""
        kept = {} if function is None else {schema: one for schema, one in self._resumes.items() if one.call != function}
        kept_any = None if function is None or (self._resume_any and self._resume_any.call == function) else self._resume_any
        found = (len(kept), kept_any) != (len(self._resumes), self._resume_any)
        self._resumes, self._resume_any = kept, kept_any
        if function is not None and found and not kept and kept_any is None:
            self.handlers.remove(self.handlers.events, "$resume", self._give)
        return function is not None and found

    def _give(self, ctx: Ctx) -> Any:
        """Passes a state to the handler of its schema, or to the one for all others."""
        data = ctx.data
        tagged = isinstance(data, dict) and data.keys() == {"schema", "state"} and isinstance(data["schema"], str)
        found = Suspended(data["schema"], data["state"]) if tagged else Suspended("", data)
        own = self._resumes.get(found.schema)
        if own is not None:
            return own.run(ctx, found.state)
        if self._resume_any is not None:
            return self._resume_any.run(ctx, found)
        taken = ", ".join(self._resumes)
        raise RoomError("resume.schema", f"no on_resume takes a state of the schema {found.schema!r}, only {taken}")


def _typed(function: Callable[..., Any], kind: Any) -> Handler:
    """A handler that is given a type of ours, whatever its parameter is annotated with."""
    handler = Handler(function)
    if kind is not None:
        handler.accept(kind)
    return handler


def _nothing() -> None:
    """The host raises only what somebody handles."""


def _need_schema(schema: object, call: str) -> None:
    if not 1 <= len(need_text(schema, f"room.{call}: a schema").encode()) <= _SCHEMA_BYTES:
        raise RoomError("invalid", f"room.{call}: a schema must be a text of 1 to {_SCHEMA_BYTES} bytes")
