"""What handlers are given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from . import _host
from ._errors import RoomError
from ._handlers import ABSENT
from ._host import need_text
from ._json import data_in
from .sockets import ASK_SECONDS, Meta, Socket, known_meta
from .targets import Target, send

if TYPE_CHECKING:
    from .room import Room


class Frame(TypedDict):
    """An event as the client sent it: what was not sent is left out.

    >>> frame: Frame = {"type": "hello", "data": 1}
    """

    type: str
    channel: NotRequired[str]
    data: NotRequired[Any]


@dataclass
class Disconnect:
    """How a socket ended.

    >>> Disconnect(code=1000, reason="bye").code
    1000
    """

    code: int
    reason: str


@dataclass
class FailedTurn:
    """A turn that failed: its event, and the code and words of the failure.

    >>> FailedTurn(event="say", code="error", message="no").event
    'say'
    """

    event: str
    code: str
    message: str


@dataclass
class Due:
    """An alarm that runs: when it was to run, in seconds since the Unix epoch, and which attempt this is, from 1.

    >>> Due(due=1767225600.0, attempt=1).attempt
    1
    """

    due: float
    attempt: int


@dataclass
class AskAnswer:
    """What became of an ask: ``answered``, ``timeout`` or ``gone``, and the client's answer.

    >>> AskAnswer(outcome="timeout").data is None
    True
    """

    outcome: str
    data: Any = None


@dataclass
class Suspended:
    """A state that an instance left, and the schema that it was written under.

    >>> Suspended(schema="quiz/1", state={"round": 3}).schema
    'quiz/1'
    """

    schema: str
    state: Any


_UNREAD: Any = object()


class Ctx:
    """One event, and the socket that it came from. A handler's first argument.

    >>> from parlor import Room
    >>> room = Room("chat")
    >>> @room.on("chat.message")
    ... def chat_message(ctx: Ctx, text: str) -> None:
    ...     ctx.emit("chat.sent")
    ...     ctx.to("default").emit("chat.message", {"from": ctx.meta.user_id, "text": text})
    """

    __slots__ = ("room", "_event", "_data", "_answer", "_over")

    def __init__(self, room: Room, event: Any) -> None:
        self.room = room
        """The room: the same object that handlers are registered with."""
        self._event = event
        self._data: Any = _UNREAD
        self._answer: tuple[object, ...] | None = None
        self._over = False

    def read(self) -> Any:
        """The event's data, read when the first handler is given it: all of them share it. ABSENT where there is none."""
        if self._data is _UNREAD:
            payload = self._event.payload
            self._data = ABSENT if payload is None else data_in(payload)
        return self._data

    @property
    def event(self) -> str:
        """The event's name."""
        return str(self._event.name)

    @property
    def has_socket(self) -> bool:
        """Whether a socket is the cause; timers, the alarm and other events of the host have none."""
        return self._event.socket is not None

    @property
    def socket(self) -> Socket:
        """The socket that caused the event; an error with the code ``no-socket`` where none did."""
        event = self._event
        if event.socket is None:
            raise RoomError("no-socket", "no socket is the cause of this event")
        return Socket(event.socket, event.cause in ("$disconnect", "$user-leave") or self._is_gone())

    @property
    def meta(self) -> Meta:
        """Who is behind the socket: a copy, which :meth:`set_fields` and the like do not change."""
        event = self._event
        # A hook may be about a socket that has left: then the host knows.
        if event.socket is None or event.cause.startswith("$"):
            return self.socket.meta
        return known_meta(event.socket)

    @property
    def data(self) -> Any:
        """The event's data as it came; None where none did."""
        data = self.read()
        return None if data is ABSENT else data

    @property
    def args(self) -> list[Any]:
        """The event's arguments, of clients that send several.

        >>> from parlor import Room
        >>> @Room("chat").on("move")
        ... def move(ctx: Ctx) -> None:
        ...     x, y = ctx.args
        """
        data = self.read()
        if data is ABSENT:
            return []
        several = isinstance(data, list) and _host.inbox.arguments() > 1
        return list(data) if several else [data]

    @property
    def frame(self) -> Frame:
        """The event as the client sent it."""
        frame: Frame = {"type": self._event.name}
        if self._event.channel is not None:
            frame["channel"] = self._event.channel
        if self.read() is not ABSENT:
            frame["data"] = self._data
        return frame

    @property
    def wants_answer(self) -> bool:
        """Whether the client waits for an acknowledgement."""
        return bool(self._event.answer_wanted)

    def answer(self, *values: object) -> None:
        """Answers a client that waits for an acknowledgement; the first answer counts. A handler may return it as well.

        >>> from parlor import Room
        >>> @Room("chat").on("add")
        ... def add(ctx: Ctx, numbers: list[int]) -> int:
        ...     return sum(numbers)
        """
        if self._over:
            raise RoomError("no-turn", "the turn of the event is over")
        if self._answer is None and self.wants_answer:
            self._answer = values

    def emit(self, event: str, *data: object) -> int:
        """Emits to the socket that caused the event; how many it is for. What data may be, and what fails, is as of
        :meth:`Target.emit`."""
        if self._event.socket is None:
            return 0
        return send(_host.outbox.to_socket, (self._event.socket,), event, data)

    def to(self, target: str) -> Target:
        """Where this is a channel that the socket is in, the channel without the socket; else the user of that id."""
        return Target(_host.outbox.to_named, need_text(target, "whom an emit is for"))

    def ask(self, event: str, *data: object, name: str | None = None, timeout: float | timedelta = ASK_SECONDS) -> None:
        """Asks the client of this socket: see :meth:`Socket.ask`."""
        self.socket.ask(event, *data, name=name, timeout=timeout)

    def join(self, channel: str) -> None:
        """Puts the socket into a channel."""
        self.socket.join(channel)

    def leave(self, channel: str) -> None:
        """Takes the socket out of a channel."""
        self.socket.leave(channel)

    def set_fields(self, fields: object) -> None:
        """Replaces the socket's own fields."""
        self.socket.set_fields(fields)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes the socket once this turn has committed."""
        self.socket.close(code, reason)

    def leave_state(self, state: object) -> None:
        """Answers `$suspend`."""
        self._answer = (state,)

    def take_answer(self) -> tuple[object, ...] | None:
        """Ends the event's turn: what it was answered with."""
        self._over = True
        return self._answer

    def _is_gone(self) -> bool:
        """Whether the event says that the socket left before it answered an ask."""
        if self._event.cause != "$ack":
            return False
        data = self.read()
        return isinstance(data, dict) and data.get("outcome") == "gone"
