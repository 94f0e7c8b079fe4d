"""Who is in a channel, told to its sockets."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from typing import Any, Callable, Iterable

from . import _host
from ._errors import RoomError
from .sockets import all_in, followed, known_meta
from .targets import send

_STATE_BYTES = 128 * 1024
"""How much of a list of users a newcomer is told, so that it always fits into an emit."""


class _Followed:
    """A channel, and the user of each socket in it, as those were told."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        # None until it is first needed: a new instance asks who is there, and all of them know it.
        self.known: dict[int, str] | None = None
        # Whether it must be compared with the host.
        self.stale = False
        # What is known when this turn has committed.
        self.next: dict[int, str] | None = None


class Presences:
    """The channels whose sockets are told."""

    def __init__(self) -> None:
        self._channels: dict[str, _Followed] = {}
        self._came: int | None = None
        self._left: int | None = None

    def follow(self, channel: str) -> bool:
        """Adds a channel; whether it is the first."""
        first = not self._channels
        followed.touch = self.touch
        self._channels.setdefault(channel, _Followed(channel))
        return first

    def begin(self, cause: str, socket: int | None, read: Callable[[], Any]) -> None:
        """Begins the turn of an event, whose data `read` reads."""
        if not self._channels:
            return
        # Where a `$disconnect` trapped, the instance that comes next hears of the socket by `$error` alone.
        leaves = cause == "$disconnect" or (cause == "$error" and read()["event"] == "$disconnect")
        self._came = socket if cause == "$connect" else None
        self._left = socket if leaves else None
        if leaves or cause == "$connect":
            self.touch(None)

    def touch(self, channel: str | None) -> None:
        """A channel will have other sockets; each may, where none is named."""
        for one in self._channels.values():
            if channel is not None and channel != one.channel:
                continue
            one.stale = True
            if one.known is None:
                one.known = self._before(one.channel)

    def _before(self, channel: str) -> dict[int, str]:
        """Who was in the channel before this turn."""
        now = _now(channel, {})
        if self._came is not None:
            now.pop(self._came, None)
        if self._left is not None:
            # Where its `$disconnect` was lost to the disk, the host knows the socket no more.
            with suppress(RoomError):
                meta = known_meta(self._left)
                if channel in meta.channels:
                    now[self._left] = meta.user_id
        return now

    def tell(self) -> None:
        """Tells of what has changed, at the end of a turn that went well so far."""
        for one in self._channels.values():
            if one.stale and one.known is not None:
                now = _now(one.channel, one.known)
                _tell(one.channel, one.known, now)
                one.next = now

    def end(self, failed: bool) -> None:
        """Ends the turn."""
        for one in self._channels.values():
            if one.next is not None and not failed:
                one.known, one.stale = one.next, False
            one.next = None


def _now(channel: str, known: dict[int, str]) -> dict[int, str]:
    """Who is in the channel: the host is asked who they are only of those that are not known."""
    return {id: known[id] if id in known else known_meta(id).user_id for id in all_in(channel)}


def _tell(channel: str, known: dict[int, str], now: dict[int, str]) -> None:
    came = [id for id in now if id not in known]
    left = [id for id in sorted(known) if id not in now]
    _tell_others(channel, "presence.leave", (known[id] for id in left), now, [])
    if not came:
        return
    newcomers = [known_meta(id).client_id for id in came]
    _tell_others(channel, "presence.join", (now[id] for id in came), known, newcomers)
    state = _state(channel, now)
    for id in came:
        send(_host.outbox.to_socket, (id,), "presence.state", (state,))


def _tell_others(channel: str, event: str, users: Iterable[str], there: dict[int, str], excluded: list[str]) -> None:
    """Tells of users, each once, that are not there by other sockets. It is said to some of the channel, which is nothing that its
    history keeps."""
    others = set(there.values())
    for user in dict.fromkeys(users):
        if user not in others:
            who = (channel, None, None, excluded)
            send(_host.later(_host.outbox, "to_channel_some"), who, event, ({"channel": channel, "userId": user},))


def _state(channel: str, now: dict[int, str]) -> dict[str, Any]:
    clients = Counter(now.values())
    users: list[dict[str, Any]] = []
    room = _STATE_BYTES
    for user in sorted(clients):
        entry = {"userId": user, "clients": clients[user]}
        room -= len(json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode())
        if room < 0:
            return {"channel": channel, "users": users, "more": len(clients) - len(users)}
        users.append(entry)
    return {"channel": channel, "users": users}
