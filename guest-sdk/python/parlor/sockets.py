"""The sockets of a room, and who is behind them."""

from __future__ import annotations

import json
import math
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Callable, Mapping

from . import _host
from ._errors import RoomError
from ._host import need_text
from ._json import message, messages, text_of
from .targets import send

FIELDS = "the own fields of a connection"
ASK_SECONDS = 10.0
"""How long an ask waits that says nothing of it."""
_METAS_KEPT = 512
_PAGE = 1000
"""How many sockets the host is asked for at once, which is the most."""


@dataclass(frozen=True)
class Meta:
    """Who is connected: what ``@room.authorize`` answers, and what ``ctx.meta`` is.

    >>> Meta("ada", channels=["default", "news"], fields={"name": "Ada"}).user_id
    'ada'
    """

    user_id: str
    """Who it is; one user may hold several sockets."""
    client_id: str = ""
    """Which connection it is; in an answer of ``authorize``, one that says none gets a random one."""
    channels: tuple[str, ...] | list[str] = ()
    """The channels it is in; in an answer of ``authorize``, none means ``default``."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The plugin's own fields."""


# The metas of the sockets that caused turns, which change only through this instance's own calls: from such a call to the
# end of its turn a meta is read anew and then dropped, whether the turn commits or not. Ids are never given twice.
# Only `ctx.meta` is read here: whether another socket is still there, the host alone knows.
_known: dict[int, Any] = {}
_touched: list[int] = []
_closing: set[int] = set()


def end_turn() -> None:
    if _touched:
        for socket in _touched:
            _known.pop(socket, None)
        _touched.clear()
    _closing.clear()


def changed(socket: int) -> None:
    _known.pop(socket, None)
    _touched.append(socket)


class _Followed:
    """Who is told before the sockets of a channel change, or of any: presence, where the room has it."""

    touch: Callable[[str | None], None] | None = None


followed = _Followed()


def _touch(channel: str | None) -> None:
    if followed.touch is not None:
        followed.touch(channel)


def page_of(channel: str, after: int | None, limit: int) -> list[int]:
    """The ids of up to so many sockets of a channel."""
    return list(_host.ask(_host.later(_host.sockets, "of_channel"), channel, after, min(max(limit, 0), 2**32 - 1)))


def all_in(channel: str, after: int | None = None) -> list[int]:
    """The ids of the sockets of a channel, in ascending order."""
    found: list[int] = []
    while True:
        page = page_of(channel, after, _PAGE)
        found += page
        if len(page) < _PAGE:
            return found
        after = page[-1]


def known_meta(socket: int) -> Meta:
    """The meta of the socket that caused the turn: each time another one, whose fields are the author's to change."""
    told = _known.get(socket)
    if told is None:
        told = _told(socket)
        if len(_known) >= _METAS_KEPT:
            _known.clear()
        _known[socket] = told
    return _read(told)


def _told(socket: int) -> Any:
    return _host.ask(_host.sockets.get_meta, socket)


def _read(told: Any) -> Meta:
    fields = json.loads(told.fields) if told.fields != "{}" else {}
    return Meta(told.user_id, told.client_id, tuple(told.channels), fields)


def contract_meta(meta: object) -> Any:
    """What ``authorize`` answered, as the contract takes it."""
    if not isinstance(meta, Meta):
        raise RoomError("invalid", f"authorize answers a parlor.Meta or None, not {type(meta).__name__}")
    user = need_text(meta.user_id, "user_id")
    client = need_text(meta.client_id, "client_id") or str(uuid.uuid4())
    channels = [need_text(channel, "a channel") for channel in meta.channels]
    return _host.types.Meta(user, client, channels, fields_text(meta.fields))


def fields_text(fields: object) -> str:
    text = text_of(fields, FIELDS)
    if not text.startswith("{"):
        raise RoomError("invalid", f"{FIELDS} are an object: a dict, or a dataclass")
    return text


def milliseconds(seconds: float | timedelta, what: str, least: int) -> int:
    """Seconds as whole milliseconds, rounded up but for the last digits of a fraction."""
    amount = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    if isinstance(amount, bool) or not isinstance(amount, (int, float)) or not math.isfinite(amount):
        raise RoomError("invalid", f"{what} must be a number of seconds or a timedelta, not {seconds!r}")
    whole = math.ceil(round(amount * 1000, 3))
    if not least <= whole < 2**32:
        raise RoomError("invalid", f"{what} must be {least} to {2**32 - 1} milliseconds, not {whole}")
    return whole


class Socket:
    """One connection, by its id: ``ctx.socket``, or ``room.socket(id)``.

    >>> from parlor import Ctx, Room
    >>> room = Room("lobby")
    >>> @room.on("kick")
    ... def kick(ctx: Ctx, socket: int) -> None:
    ...     other = room.socket(socket)
    ...     other.emit("kicked", {"by": ctx.meta.user_id})
    ...     other.close(4001, "kicked")
    """

    __slots__ = ("id", "_left")

    def __init__(self, id: int, left: bool = False) -> None:
        self.id = id
        # Known of the socket whose end this turn is about.
        self._left = left

    @property
    def is_open(self) -> bool:
        """Whether it is in the room, and this turn does not close it.

        >>> from parlor import Ctx, Room
        >>> room = Room("lobby")
        >>> @room.on("who")
        ... def who(ctx: Ctx, socket: int) -> bool:
        ...     return room.socket(socket).is_open
        """
        if self._left or self.id in _closing:
            return False
        try:
            _told(self.id)
        except RoomError as why:
            if why.code != "no-such-socket":
                raise
            return False
        return True

    @property
    def meta(self) -> Meta:
        """Who is behind it: a copy, and an error with the code ``no-such-socket`` where it has left.

        >>> from parlor import Ctx, Room
        >>> @Room("lobby").on("me")
        ... def me(ctx: Ctx) -> str:
        ...     return ctx.socket.meta.user_id
        """
        return _read(_told(self.id))

    def emit(self, event: str, *data: object) -> int:
        """Emits to this socket; 0 for one that has left, else 1. What data may be, and what fails, is as of
        :meth:`Target.emit`."""
        return send(_host.outbox.to_socket, (self.id,), event, data)

    def ask(
        self,
        event: str,
        *data: object,
        name: str | None = None,
        timeout: float | timedelta = ASK_SECONDS,
    ) -> None:
        """Asks the client, which answers with an acknowledgement: ``@room.on_ack(name)`` gets it. The name is the event's
        unless given.

        >>> from parlor import AskAnswer, Ctx, Room
        >>> room = Room("duel")
        >>> @room.on("start")
        ... def start(ctx: Ctx) -> None:
        ...     ctx.ask("ready?", {"round": 1}, timeout=5)
        >>> @room.on_ack("ready?")
        ... def ready(ctx: Ctx, answer: AskAnswer) -> None:
        ...     room.emit("is ready", {"outcome": answer.outcome, "data": answer.data})
        """
        need_text(event, "an event's name")
        called = event if name is None else need_text(name, "an ask's name")
        wait = milliseconds(timeout, "an ask's timeout", 1)
        what = "the data of an ask"
        body = messages(data, what) if len(data) > 1 else message(data[0] if data else {}, what)
        _host.ask(_host.outbox.ask, self.id, event, body, called, wait)

    def join(self, channel: str) -> None:
        """Puts it into a channel. Nothing happens where it is in it."""
        _touch(need_text(channel, "a channel"))
        changed(self.id)
        _host.ask(_host.sockets.join, self.id, channel)

    def leave(self, channel: str) -> None:
        """Takes it out of a channel. Nothing happens where it is not in it."""
        _touch(need_text(channel, "a channel"))
        changed(self.id)
        _host.ask(_host.sockets.leave, self.id, channel)

    def set_fields(self, fields: object) -> None:
        """Replaces the plugin's own fields: a dict or a dataclass, up to 4 KiB of JSON.

        >>> from parlor import Ctx, Room
        >>> @Room("lobby").on("rename")
        ... def rename(ctx: Ctx, name: str) -> None:
        ...     ctx.set_fields({**ctx.meta.fields, "name": name})
        """
        text = fields_text(fields)
        changed(self.id)
        _host.ask(_host.sockets.set_fields, self.id, text)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes it once this turn has committed: code 1000, 1008, 1011 to 1013 or 3000 to 4999."""
        need_text(reason, "a close reason")
        if type(code) is not int or not 0 <= code <= 0xFFFF:
            raise RoomError("invalid", "a close code must be 1000, 1008, 1011 to 1013 or 3000 to 4999")
        _touch(None)
        _host.ask(_host.sockets.close, self.id, code, reason)
        _closing.add(self.id)
