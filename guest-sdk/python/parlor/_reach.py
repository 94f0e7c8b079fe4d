"""Whom a room can speak to, and what it knows of who is in it."""

from __future__ import annotations

from typing import Iterable

from . import _host
from ._errors import RoomError
from ._host import need_text
from .sockets import Socket, all_in, page_of
from .targets import DEFAULT_CHANNEL, Channel, OtherRoom, Target, send, some, texts


class Reach:
    """What handlers do with a room: :class:`Room` is one."""

    def emit(self, event: str, *data: object) -> int:
        """Emits to the channel ``default``, the sender included; answers how many sockets it is for. What data may be, and what
        fails, is as of :meth:`Target.emit`."""
        return send(_host.outbox.to_channel, (DEFAULT_CHANNEL,), event, data)

    def channel(self, name: str) -> Channel:
        """The sockets of a channel."""
        return Channel(name)

    def user(self, user_id: str) -> Target:
        """All sockets of a user."""
        return Target(_host.outbox.to_user, need_text(user_id, "a user id"))

    def clients(self, client_ids: Iterable[str]) -> Target:
        """The sockets of these client ids."""
        return Target(_host.outbox.to_clients, texts(client_ids, "a client id"))

    def socket(self, id: int) -> Socket:
        """A socket by its id, which ``ctx.socket.id`` told."""
        if type(id) is not int or not 0 <= id < 2**32:
            raise RoomError("invalid", "a socket is found by its id, a whole number that ctx.socket.id told")
        return Socket(id)

    def sockets(self, user_id: str | None = None) -> list[Socket]:
        """The sockets that are connected, of one user or of all, in the order in which they came.

        >>> import parlor
        >>> room = parlor.Room("one-at-a-time")
        >>> @room.on_connect
        ... def connect(ctx: parlor.Ctx) -> None:
        ...     for other in room.sockets(ctx.meta.user_id):
        ...         if other.id != ctx.socket.id:
        ...             other.close(4001, "you are elsewhere now")
        """
        of = None if user_id is None else need_text(user_id, "a user id")
        return [Socket(id) for id in _host.ask(_host.later(_host.sockets, "present"), of)]

    def sockets_in(self, channel: str, after: int | None = None, limit: int | None = None) -> list[Socket]:
        """The sockets that are in a channel, in the order in which they came: those behind the id ``after`` where it is given; all of
        them, or up to ``limit``, 1 to 1,000."""
        need_text(channel, "a channel")
        ids = all_in(channel, after) if limit is None else page_of(channel, after, limit)
        return [Socket(id) for id in ids]

    def other(
        self,
        room: str,
        *,
        channel: str | None = None,
        users: Iterable[str] | None = None,
        clients: Iterable[str] | None = None,
    ) -> OtherRoom:
        """Another room: of this plugin, by its id (``lobby``), or of another plugin of the same tenant (``inbox/lobby``). In it, a
        channel, users and clients, as far as such are given: one of them there must be."""
        within = None if channel is None else need_text(channel, "a channel")
        return OtherRoom(need_text(room, "a room's id"), within, some(users, "a user id"), some(clients, "a client id"))

    @property
    def id(self) -> str:
        """The room's id, as clients name it."""
        return str(_host.ask(_host.room.id))

    def session_count(self) -> int:
        """How many sockets are connected."""
        return int(_host.ask(_host.room.session_count))

    def user_ids(self) -> list[str]:
        """The ids of the users that are connected, in ascending order."""
        return list(_host.ask(_host.room.user_ids))

    def config(self, key: str, default: str | None = None) -> str | None:
        """The value of a key of the plugin's configuration, secrets among them; not there at the top level of a module."""
        value = _host.ask(_host.config.get, need_text(key, "a key of the configuration"))
        return default if value is None else str(value)
