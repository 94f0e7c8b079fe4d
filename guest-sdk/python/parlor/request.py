"""The request that asks for a connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ._json import read


@dataclass
class Request:
    """The HTTP request that asks for a connection: what ``@room.authorize`` is given.

    >>> request = Request("ws://host/ws?token=a%20b", "default", [("cookie", "a=1")], "127.0.0.1")
    >>> request.query["token"], request.header("Cookie"), request.room
    ('a b', 'a=1', 'default')
    """

    uri: str
    """The absolute address as the client saw it, its query included."""
    room: str
    """The id of the room that it asks for."""
    headers: list[tuple[str, str]]
    """Names in lower case with their values, in the order of the request."""
    remote: str
    """The client's network address, without its port."""
    query: dict[str, str] = field(init=False)
    """The query's names with their values; of a name that is given twice, the first."""

    def __post_init__(self) -> None:
        pairs = parse_qsl(urlsplit(self.uri).query, keep_blank_values=True)
        self.query = dict(reversed(pairs))

    def header(self, name: str, default: str | None = None) -> str | None:
        """The value of a header, whatever the case of its name; values of several are joined with commas."""
        wanted = name.lower()
        found = [value for header, value in self.headers if header == wanted]
        return ", ".join(found) if found else default

    @property
    def auth(self) -> Any:
        """What a client of Socket.IO gave as ``auth``; None where there is none.

        >>> Request("ws://host/ws", "default", [("parlor-auth", '{"token":"x"}')], "127.0.0.1").auth
        {'token': 'x'}
        """
        text = self.header("parlor-auth")
        return None if text is None else read(text)
