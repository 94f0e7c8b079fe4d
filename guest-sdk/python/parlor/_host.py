"""The host's functions: the one place that names the contract's imports.

A component that was built with fewer imports lacks some of them, and outside of a component there are none. What is called
all the same says so.
"""

from __future__ import annotations

import importlib
from typing import Any

from ._errors import RoomError


class _Missing:
    def __init__(self, name: str, why: str) -> None:
        self._name = name
        self._why = why

    def __getattr__(self, called: str) -> Any:
        if called.startswith("__"):
            raise AttributeError(called)
        raise RoomError("not-imported", f"{self._name}.{called} cannot be called: {self._why}")


def _interface(name: str) -> Any:
    try:
        return importlib.import_module(f"wit_world.imports.{name}")
    except ImportError:
        if IN_COMPONENT:
            why = f"this component was built without it; name {name!r} in `imports` of [tool.parlor] in pyproject.toml"
        else:
            why = "rooms live in components: `parlor.testing.TestRoom` runs yours"
        return _Missing(name, why)


try:
    _types: Any = importlib.import_module("wit_world.imports.types")
    Err: Any = importlib.import_module("componentize_py_types").Err
    IN_COMPONENT = True
except ImportError:
    _types, IN_COMPONENT = None, False

    class Err(Exception):  # type: ignore[no-redef]
        """Stands for the contract's own where there is none."""

types: Any = _types
alarm = _interface("alarm")
clock = _interface("clock")
config = _interface("config")
events = _interface("events")
history = _interface("history")
inbox = _interface("inbox")
logging = _interface("logging")
outbox = _interface("outbox")
random = _interface("random")
room = _interface("room")
sockets = _interface("sockets")
storage = _interface("storage")
timers = _interface("timers")


def later(interface: Any, name: str) -> Any:
    """A function that an interface has got later: a build leaves it out where the source does not have its name."""
    found = getattr(interface, name, None)
    if found is None:
        raise RoomError("not-imported", f"{name} cannot be called: this component was built without it")
    return found


class _Phase:
    """Whether the host can be called: not while the plugin is built, when its top level runs."""

    begun = False


phase = _Phase()


def need_host(what: str) -> None:
    """Says that there is no host yet, where there is none."""
    if IN_COMPONENT and not phase.begun:
        raise RoomError(
            "no-host", f"{what} is not there at the top level of a module: that runs once, when the plugin is built"
        )


def refusal(refused: Any) -> RoomError:
    """What the host refused with, as an error of ours."""
    kind = type(refused).__name__
    if kind == "Refusal_LimitExceeded":
        return RoomError("limit-exceeded", f"the bound {refused.value} would be passed")
    if kind == "Refusal_NoSuchSocket":
        return RoomError("no-such-socket", "no such socket in this room; it may have left")
    if kind == "Refusal_NoTurn":
        return RoomError("no-turn", "outside a turn the room cannot be reached")
    if kind == "Refusal_Invalid":
        return RoomError("invalid", refused.value)
    return RoomError("refused", str(getattr(refused, "value", refused)))


def ask(call: Any, *args: Any) -> Any:
    """What a call of the host answers; where it refuses, an error of ours is raised."""
    if IN_COMPONENT and not phase.begun:
        need_host(getattr(call, "__name__", "the host"))
    try:
        return call(*args)
    except Err as refused:
        raise refusal(refused.value) from None


def need_text(value: object, what: str) -> str:
    """A text that UTF-8 can carry."""
    if not isinstance(value, str):
        raise RoomError("invalid", f"{what} must be a text, not {type(value).__name__}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise RoomError("invalid", f"{what} has half of a surrogate pair in it, which is no character") from None
    return value
