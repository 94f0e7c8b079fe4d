"""Whom an emit is for."""

from __future__ import annotations

from typing import Any, Callable, Iterable

from . import _host
from ._errors import RoomError
from ._json import messages
from ._host import need_text

DEFAULT_CHANNEL = "default"
"""The channel of emits that name none."""


def send(call: Callable[..., int], who: tuple[Any, ...], event: str, data: tuple[object, ...]) -> int:
    """Sends an event with its data; how many sockets it is for."""
    return int(_say(call, who, event, data))


def _say(call: Callable[..., Any], who: tuple[Any, ...], event: str, data: tuple[object, ...]) -> Any:
    """Nothing may be asked of the host between the bytes of the data and the event itself."""
    need_text(event, "an event's name")
    body = messages(data, "the data of an emit") if data else _host.types.Payload_Json("{}")
    return _host.ask(call, *who, event, body)


class Target:
    """Sockets that an event can be emitted to: ``room.user("ada")``, ``room.channel("news")``, ``ctx.to("news")``.

    >>> from parlor import Ctx, Room
    >>> room = Room("news")
    >>> @room.on("publish")
    ... def publish(ctx: Ctx, data: dict[str, str]) -> None:
    ...     reached = room.channel("news").emit("published", data)
    ...     room.log.info(f"{reached} sockets got it")
    """

    def __init__(self, call: Callable[..., int], *who: Any) -> None:
        self._call = call
        self._who = who

    def emit(self, event: str, *data: object) -> int:
        """Emits an event; answers how many sockets it is for. Several data are several arguments, for clients that have these.
        Data that JSON does not have, NaN and the infinities among it, raises a :class:`RoomError` with the code ``json``. Of
        bytes, 16 pieces go as bytes; those behind them are ``{"base64": "..."}`` for all clients.

        >>> from parlor import Ctx, Room
        >>> room = Room("news")
        >>> @room.on("move")
        ... def move(ctx: Ctx) -> None:
        ...     room.user("ada").emit("moved", {"x": 1, "picture": b"bytes stand anywhere in the data"})
        """
        return send(self._call, self._who, event, data)


class Channel(Target):
    """The sockets of a channel.

    >>> from parlor import Ctx, Room
    >>> room = Room("news")
    >>> @room.on("say")
    ... def say(ctx: Ctx, data: str) -> None:
    ...     room.channel("news").without(ctx.meta.client_id).emit("said", data)
    """

    def __init__(self, name: str) -> None:
        super().__init__(_host.outbox.to_channel, need_text(name, "a channel"))
        self._name = name

    def without(self, *client_ids: str) -> Target:
        """The channel without the sockets of these client ids.

        >>> from parlor import Room
        >>> @Room("news").on("say")
        ... def say(ctx, data):
        ...     ctx.room.channel("default").without(ctx.meta.client_id).emit("said", data)
        """
        return Target(_host.outbox.to_channel_except, self._name, texts(client_ids, "a client id"))


    def only(
        self,
        *,
        users: Iterable[str] | None = None,
        clients: Iterable[str] | None = None,
        without: Iterable[str] = (),
    ) -> Target:
        """Those sockets of the channel that are of one of these users, and have one of these client ids, as far as such are given,
        without those of other client ids. An empty list is nobody.

        >>> from parlor import Ctx, Room
        >>> room = Room("cards")
        >>> @room.on("deal")
        ... def deal(ctx: Ctx, players: list[str]) -> None:
        ...     room.channel("table").only(users=players, without=[ctx.meta.client_id]).emit("cards", 5)
        """
        excluded = texts(without, "a client id")
        return Target(
            _host.later(_host.outbox, "to_channel_some"), self._name, some(users, "a user id"), some(clients, "a client id"), excluded
        )


class OtherRoom:
    """Whom an emit into another room is for: ``room.other("lobby", channel="default")``.

    >>> from parlor import Ctx, Room
    >>> room = Room("game")
    >>> @room.on("invite")
    ... def invite(ctx: Ctx, friends: list[str]) -> None:
    ...     room.other("lobby", users=friends).emit("invited", {"to": room.id})
    """

    def __init__(self, *who: Any) -> None:
        self._who = who

    def emit(self, event: str, *data: object) -> None:
        """Emits into the other room once this turn has committed. The data is JSON, without bytes. Nobody tells whom it reaches:
        nobody hears it where the room is not open."""
        _say(_host.later(_host.outbox, "to_room"), self._who, event, data)


def some(values: Iterable[object] | None, what: str) -> list[str] | None:
    return None if values is None else texts(values, what)


def texts(values: Iterable[object], what: str) -> list[str]:
    if isinstance(values, (str, bytes)):
        raise RoomError("invalid", f"{what}: a list of them, not one")
    return [need_text(one, what) for one in values]
