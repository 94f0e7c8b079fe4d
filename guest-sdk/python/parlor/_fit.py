"""Data as the type that a handler's parameter is annotated with."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import types
import typing
from typing import Any, Callable, Union

from ._errors import RoomError

Fit = Callable[[Any, str], Any]
"""Takes a value and what it is called; answers it as the type, or raises :class:`Unfit`."""

JSON_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", bytes: "bytes"}


class Unfit(Exception):
    """The value is not what the type says."""


def shown(value: object) -> str:
    """A value in the words of JSON, cut short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bytes):
        return "bytes"
    text = repr(value)
    words = text if len(text) <= 40 else text[:37] + "..."
    return f"the text {words}" if isinstance(value, str) else f"the number {words}"


def unfit(name: str, wanted: str, value: object) -> Unfit:
    return Unfit(f"{name} must be {wanted}, not {shown(value)}")


_known: dict[Any, Fit] = {}


def fit(wanted: Any) -> Fit:
    """What makes values of a type. A type that data cannot be is an error at once."""
    try:
        found = _known.get(wanted)
    except TypeError:
        return _made(wanted)
    if found is None:
        # A dataclass may have itself within it.
        _known[wanted] = lambda value, name: _known[wanted](value, name)
        try:
            found = _known[wanted] = _made(wanted)
        except BaseException:
            del _known[wanted]
            raise
    return found


def as_it_is(value: Any, name: str) -> Any:
    return value


def _made(wanted: Any) -> Fit:
    if wanted is Any or wanted is object:
        return as_it_is
    if wanted is None or wanted is type(None):
        return _none
    if isinstance(wanted, typing.NewType):
        return fit(wanted.__supertype__)
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is typing.Annotated:
        return fit(inner[0])
    if origin is Union or origin is types.UnionType:
        return _one_of([fit(one) for one in inner])
    if origin is typing.Literal:
        return _literal(inner)
    if isinstance(wanted, type):
        if wanted in _SCALARS:
            return _SCALARS[wanted]
        if dataclasses.is_dataclass(wanted):
            return _dataclass(wanted)
        if issubclass(wanted, enum.Enum):
            return _enum(wanted)
        if typing.is_typeddict(wanted):
            return _typed_dict(wanted)
    return _container(wanted, origin or wanted, inner)


def _container(wanted: Any, origin: Any, inner: tuple[Any, ...]) -> Fit:
    if origin in (list, collections.abc.Sequence, collections.abc.Iterable):
        return _list(list, fit(inner[0] if inner else Any))
    if origin in (set, frozenset):
        return _set(origin, inner[0] if inner else Any)
    if origin is tuple:
        if not inner or inner[-1] is Ellipsis:
            return _list(tuple, fit(inner[0] if inner else Any))
        return _tuple([fit(one) for one in inner])
    if origin in (dict, collections.abc.Mapping):
        return _dict(fit(inner[1] if inner else Any))
    raise RoomError("invalid", f"data cannot be {getattr(wanted, '__name__', wanted)}: a dataclass can, or a type of JSON")


def _none(value: Any, name: str) -> None:
    if value is not None:
        raise unfit(name, "null", value)


def _bool(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return value
    raise unfit(name, JSON_NAMES[bool], value)


def _int(value: Any, name: str) -> int:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise unfit(name, JSON_NAMES[int], value)


def _float(value: Any, name: str) -> float:
    if type(value) is float:
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise unfit(name, "a number below 1.8e308", value) from None
    raise unfit(name, JSON_NAMES[float], value)


def _str(value: Any, name: str) -> str:
    if isinstance(value, str):
        return value
    raise unfit(name, JSON_NAMES[str], value)


def _bytes(value: Any, name: str) -> bytes:
    if isinstance(value, bytes):
        return value
    raise unfit(name, JSON_NAMES[bytes], value)


_SCALARS: dict[type, Fit] = {bool: _bool, int: _int, float: _float, str: _str, bytes: _bytes}


def _one_of(fits: list[Fit]) -> Fit:
    def made(value: Any, name: str) -> Any:
        words = []
        for one in fits:
            try:
                return one(value, name)
            except Unfit as why:
                words.append(str(why))
        # The member of the union that got furthest tells most: its words name a place within.
        raise Unfit(max(words, key=lambda text: text.split(" ")[0].count(".")))

    return made


def _literal(values: tuple[Any, ...]) -> Fit:
    def made(value: Any, name: str) -> Any:
        for one in values:
            if value == one and type(value) is type(one):
                return one
        raise unfit(name, " or ".join(repr(one) for one in values), value)

    return made


def _enum(wanted: type[enum.Enum]) -> Fit:
    def made(value: Any, name: str) -> Any:
        try:
            return wanted(value)
        except ValueError:
            raise unfit(name, " or ".join(repr(one.value) for one in wanted), value) from None

    return made


def _list(kind: Any, item: Fit) -> Fit:
    def made(value: Any, name: str) -> Any:
        if not isinstance(value, list):
            raise unfit(name, "a list", value)
        return kind([item(one, f"{name}[{at}]") for at, one in enumerate(value)])

    return made


def _set(kind: Any, wanted: Any) -> Fit:
    if (typing.get_origin(wanted) or wanted).__hash__ is None:
        words = "which can change; it holds texts, numbers, tuples and frozen dataclasses"
        raise RoomError("invalid", f"a set cannot hold {getattr(wanted, '__name__', wanted)}, {words}")
    item = fit(wanted)

    def made(value: Any, name: str) -> Any:
        if not isinstance(value, list):
            raise unfit(name, "a list", value)
        found = set()
        for at, one in enumerate(value):
            made_one = item(one, f"{name}[{at}]")
            try:
                found.add(made_one)
            except TypeError:
                raise unfit(f"{name}[{at}]", "what a set can hold", one) from None
        return kind(found)

    return made


def _tuple(items: list[Fit]) -> Fit:
    def made(value: Any, name: str) -> Any:
        if not isinstance(value, list) or len(value) != len(items):
            raise unfit(name, f"a list of {len(items)}", value)
        return tuple(item(one, f"{name}[{at}]") for at, (item, one) in enumerate(zip(items, value)))

    return made


def _dict(item: Fit) -> Fit:
    def made(value: Any, name: str) -> Any:
        if not isinstance(value, dict):
            raise unfit(name, "an object", value)
        return {key: item(one, f"{name}.{key}") for key, one in value.items()}

    return made


def _hints(wanted: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(wanted)
    except NameError as error:
        raise RoomError("invalid", f"the types of {wanted.__name__} cannot be found: {error}") from None


def _dataclass(wanted: type) -> Fit:
    hints = _hints(wanted)
    fields = [field for field in dataclasses.fields(wanted) if field.init]
    missing = dataclasses.MISSING
    parts = [
        (field.name, fit(hints[field.name]), field.default is missing and field.default_factory is missing)
        for field in fields
    ]

    def made(value: Any, name: str) -> Any:
        if isinstance(value, wanted):
            return value
        if not isinstance(value, dict):
            raise unfit(name, f"an object ({wanted.__name__})", value)
        found = {}
        for member, part, needed in parts:
            if member in value:
                found[member] = part(value[member], f"{name}.{member}")
            elif needed:
                raise Unfit(f"{name}.{member} is missing")
        return wanted(**found)

    return made


def _typed_dict(wanted: Any) -> Fit:
    hints = _hints(wanted)
    needed = wanted.__required_keys__
    parts = {member: fit(hint) for member, hint in hints.items()}

    def made(value: Any, name: str) -> Any:
        if not isinstance(value, dict):
            raise unfit(name, f"an object ({wanted.__name__})", value)
        for member in needed:
            if member not in value:
                raise Unfit(f"{name}.{member} is missing")
        return {member: parts.get(member, as_it_is)(one, f"{name}.{member}") for member, one in value.items()}

    return made
