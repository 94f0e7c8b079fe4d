"""The room's own keys and values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Iterable, Mapping, TypeVar, overload

from . import _fit, _host
from ._errors import RoomError
from ._host import need_text
from ._json import text_of
from .targets import texts

_KEY = "a key of the storage"
_ENTRIES = 256
"""How many entries are asked for at once where all are wanted; a page ends at 256 KiB anyway."""

T = TypeVar("T")


@dataclass
class Page:
    """A part of a listing.

    >>> Page({"score/ada": 3}, next=None).entries
    {'score/ada': 3}
    """

    entries: dict[str, Any]
    """The entries, in ascending order of their keys' bytes."""
    next: str | None
    """Give this as ``after`` for the next part; None where this was the last."""


class Storage:
    """The room's own keys and values, of JSON: ``room.storage``. Reads see this turn's own writes, and writes commit with
    the turn or not at all.

    >>> from dataclasses import dataclass
    >>> from parlor import Ctx, Room
    >>> room = Room("quiz")
    >>> @dataclass
    ... class Score:
    ...     points: int = 0
    >>> @room.on("answer")
    ... def answer(ctx: Ctx, choice: int) -> None:
    ...     key = f"score/{ctx.meta.user_id}"
    ...     score = room.storage.get(key, Score(), type=Score)
    ...     room.storage.put(key, Score(score.points + 1))
    """

    @overload
    def get(self, key: str, default: Any = None) -> Any: ...
    @overload
    def get(self, key: str, default: T, *, type: type[T]) -> T: ...
    @overload
    def get(self, key: str, default: None = None, *, type: type[T]) -> T | None: ...

    def get(self, key: str, default: Any = None, *, type: Any = Any) -> Any:
        """The value of a key, or the default; as this type, where one is given."""
        value = self.get_bytes(key)
        return default if value is None else _read(key, value, type)

    def get_many(self, keys: Iterable[str], *, type: Any = Any) -> dict[str, Any]:
        """The values of those of up to 128 keys that have one."""
        wanted = texts(keys, _KEY)
        found = zip(wanted, _host.ask(_host.storage.get_many, wanted))
        return {key: _read(key, value, type) for key, value in found if value is not None}

    def put(self, key: str, value: object) -> None:
        """Sets the value of a key."""
        _host.ask(_host.storage.put, need_text(key, _KEY), _written(value))

    def put_many(self, values: Mapping[str, object]) -> None:
        """Sets the values of up to 128 keys, or of none of them.

        >>> from parlor import Ctx, Room
        >>> room = Room("quiz")
        >>> @room.on("reset")
        ... def reset(ctx: Ctx) -> None:
        ...     room.storage.put_many({"round": 0, "open": False})
        """
        entry = getattr(_host.storage, "Entry")
        _host.ask(_host.storage.put_many, [entry(need_text(key, _KEY), _written(value)) for key, value in values.items()])

    def delete(self, key: str) -> bool:
        """Removes a key; whether it was there."""
        return bool(_host.ask(_host.storage.delete, need_text(key, _KEY)))

    def delete_many(self, keys: Iterable[str]) -> int:
        """Removes up to 128 keys; how many of them were there."""
        return int(_host.ask(_host.storage.delete_many, texts(keys, _KEY)))

    def list(self, prefix: str = "", *, after: str | None = None, limit: int | None = None, type: Any = Any) -> dict[str, Any]:
        """All entries whose keys begin so, in ascending order of their keys' bytes, fetched page by page.

        >>> from parlor import Ctx, Room
        >>> room = Room("quiz")
        >>> @room.on("scores")
        ... def scores(ctx: Ctx) -> dict[str, int]:
        ...     return room.storage.list("score/", type=int)
        """
        found: dict[str, Any] = {}
        while limit is None or len(found) < limit:
            page = self.page(prefix, after=after, limit=_ENTRIES if limit is None else min(_ENTRIES, limit - len(found)), type=type)
            found.update(page.entries)
            after = page.next
            if after is None:
                break
        return found

    def page(self, prefix: str = "", *, after: str | None = None, limit: int = 100, type: Any = Any) -> Page:
        """A part of a listing: up to so many entries, 1 to 1,000, behind the key `after`."""
        need_text(prefix, "a prefix")
        if after is not None:
            need_text(after, _KEY)
        if not isinstance(limit, int) or not 0 <= limit < 2**32:
            raise RoomError("invalid", "the limit of a listing must be a whole number")
        page = _host.ask(_host.storage.scan, prefix, after, limit)
        return Page({entry.key: _read(entry.key, entry.value, type) for entry in page.entries}, page.next)

    def get_bytes(self, key: str) -> bytes | None:
        """The bytes of a key, as they are stored."""
        value = _host.ask(_host.storage.get, need_text(key, _KEY))
        return None if value is None else bytes(value)

    def put_bytes(self, key: str, value: bytes) -> None:
        """Sets raw bytes, which need not be JSON."""
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise RoomError("invalid", f"put_bytes takes bytes, not {type(value).__name__}")
        _host.ask(_host.storage.put, need_text(key, _KEY), bytes(value))


def _written(value: object) -> bytes:
    return text_of(value, "a value of the storage").encode()


def _read(key: str, value: bytes, wanted: Any) -> Any:
    try:
        data = json.loads(str(value, "utf-8"))
    except (ValueError, RecursionError):
        raise RoomError("json", f"what is stored under {key!r} is not JSON") from None
    if wanted is Any:
        return data
    try:
        return _fit.fit(wanted)(data, key)
    except _fit.Unfit as why:
        raise RoomError("json", f"what is stored: {why}") from None
