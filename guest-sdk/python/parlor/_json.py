"""What goes to clients and comes from them: JSON, and the bytes in it, which the contract carries beside it."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import enum
import json
import math
import uuid
from collections.abc import Mapping
from typing import Any

from . import _host
from ._errors import Refused, RoomError

BAD_DATA = "bad-data"
"""The code of data that a handler's type does not take."""
ATTACHED_MOST = 16
"""How many pieces of bytes the host carries beside one message."""


def plain(value: object) -> Any:
    """What JSON has of a value that it does not know by itself."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError("bytes stand in what goes to clients alone; the storage keeps them with put_bytes")
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _encoder(default: Any, ascii: bool = False) -> json.JSONEncoder:
    return json.JSONEncoder(ensure_ascii=ascii, allow_nan=False, separators=(",", ":"), default=default)


_PLAIN = _encoder(plain)
_PLAIN_ASCII = _encoder(plain, ascii=True)


def text_of(value: object, what: str) -> str:
    """A value as JSON without bytes. `what` is what it is for, in the author's words."""
    text = _written(_PLAIN, value, what)
    return text if _fits_utf8(text) else _written(_PLAIN_ASCII, value, what)


def _written(encoder: json.JSONEncoder, value: object, what: str) -> str:
    try:
        return encoder.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise RoomError("json", f"{what} cannot be written as JSON: {error}") from None


def _fits_utf8(text: str) -> bool:
    """Whether a text is whole: half of a surrogate pair goes as an escape alone."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def message(value: object, what: str) -> Any:
    """Data for a client, whose bytes are attached to what the host is asked for next: nothing may come in between. More of them
    than the host carries stand in the text itself, as clients of Verani's protocol get all."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _host.types.Payload_Binary(bytes(value))
    attached: list[bytes] = []

    def default(inner: object) -> Any:
        if isinstance(inner, (bytes, bytearray, memoryview)):
            if len(attached) == ATTACHED_MOST:
                return {"base64": base64.b64encode(inner).decode()}
            attached.append(bytes(inner))
            return {"_placeholder": True, "num": len(attached) - 1}
        return plain(inner)

    text = _written(_encoder(default), value, what)
    if not _fits_utf8(text):
        attached.clear()
        text = _written(_encoder(default, ascii=True), value, what)
    for one in attached:
        _host.ask(_host.outbox.attach, one)
    return _host.types.Payload_Json(text)


def messages(values: tuple[object, ...], what: str) -> Any:
    """As :func:`message`, for any number of values: several are several arguments, for clients that have these."""
    if len(values) == 1:
        return message(values[0], what)
    body = message(values, what)
    _host.ask(_host.outbox.spread)
    return body


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number in it is too large")
    return number


def _no_number(name: str) -> float:
    raise ValueError(f"JSON has no {name}")


read = json.JSONDecoder(parse_float=_finite, parse_constant=_no_number).decode
"""Reads what a client wrote: what it cannot have meant as a number is an error, as are all mistakes, a ValueError."""


def data_in(payload: Any) -> Any:
    """What a client sent, its bytes in their places."""
    value = payload.value
    if not isinstance(value, str):
        return bytes(value)
    try:
        data = read(value)
    except (ValueError, RecursionError) as error:
        raise Refused(BAD_DATA, f"the data cannot be read: {error}") from None
    # Only the host knows whether this is a placeholder or looks like one. Most data is neither, and the call is saved.
    if "_placeholder" not in value:
        return data
    attached = dict(enumerate(_host.inbox.attachments()))
    return _filled(data, attached) if attached else data


def _filled(data: Any, left: dict[int, bytes]) -> Any:
    """Data with its bytes in the places of the placeholders that name them, each once."""
    if isinstance(data, list):
        return [_filled(item, left) for item in data]
    if not isinstance(data, dict):
        return data
    number = data.get("num")
    if data.get("_placeholder") is True and len(data) == 2 and type(number) is int and number in left:
        return bytes(left.pop(number))
    return {name: _filled(item, left) for name, item in data.items()}
