"""What was said lately to channels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from . import _host
from ._errors import RoomError
from ._host import need_text
from ._json import read
from .sockets import milliseconds

_MOST = 2**32 - 1


class Keeping(NamedTuple):
    """What ``room.keep_history`` was given."""

    channel: str
    entries: int
    seconds: float | timedelta
    durable: bool

    def begin(self) -> None:
        """Asks the host for it, which it takes while an instance begins."""
        need_text(self.channel, "a channel")
        entries = whole(self.entries, "how many entries are kept")
        ttl = milliseconds(self.seconds, "how long entries are kept", 1)
        _host.ask(_host.history.keep, self.channel, entries, ttl, bool(self.durable))


@dataclass(frozen=True)
class Said:
    """Something that was said to a channel.

    >>> Said(position="e.1", event="news", data={"text": "hi"}, at=1767225600.0).event
    'news'
    """

    position: str
    """Where it stands: a text to keep and to give back, not to look into."""
    event: str
    data: Any
    at: float
    """When it was said, in seconds since the Unix epoch."""


@dataclass(frozen=True)
class HistoryPage:
    """A part of a channel's history.

    >>> HistoryPage(entries=[], recovered=True).recovered
    True
    """

    entries: list[Said]
    """What was said, the oldest first."""
    recovered: bool
    """Whether these and the following are all that was said behind the position that was given."""


class History:
    """What was said to the channels that ``room.keep_history`` names: ``room.history``.

    >>> from parlor import Ctx, Room
    >>> room = Room("news")
    >>> room.keep_history("headlines", entries=50)
    >>> @room.on("since")
    ... def since(ctx: Ctx, position: str) -> None:
    ...     page = room.history.read("headlines", after=position)
    ...     ctx.emit("headlines", {"all": page.recovered, "said": [said.data for said in page.entries]})
    """

    def read(self, channel: str, *, after: str | None = None, limit: int = 100) -> HistoryPage:
        """What was said behind a position, or from the oldest entry on: up to ``limit`` entries, 1 to 1,000. A page may hold fewer
        and others follow: go on behind the last one until none come."""
        behind = None if after is None else need_text(after, "a position")
        asked = whole(limit, "a limit")
        page = _host.ask(_host.history.read, need_text(channel, "a channel"), behind, asked)
        return HistoryPage([_said(entry) for entry in page.entries], bool(page.recovered))

    def position(self, channel: str) -> str:
        """The position of the last thing that was said to a channel."""
        return str(_host.ask(_host.history.position, need_text(channel, "a channel")))


def _said(entry: Any) -> Said:
    value = entry.data.value
    data = read(value) if isinstance(value, str) else bytes(value)
    return Said(entry.position, entry.event, data, entry.at / 1000)


def whole(number: object, what: str) -> int:
    if type(number) is not int:
        raise RoomError("invalid", f"{what}: a whole number, not {number!r}")
    return min(max(number, 0), _MOST)
