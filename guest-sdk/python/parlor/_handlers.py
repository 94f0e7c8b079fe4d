"""Handlers: how they are called, and what the host must be asked for so that they run."""

from __future__ import annotations

import inspect
import sys
import types
import typing
from typing import Any, Callable

if sys.version_info >= (3, 14):
    import annotationlib

from . import _fit, _host
from ._errors import Refused, RoomError
from ._json import BAD_DATA

ANY = "*"
"""The contract's name for all events of clients."""
NAME_BYTES = 128
ABSENT: Any = object()
"""Stands for the data of an event that came without."""


def _signature(call: Callable[..., Any]) -> inspect.Signature:
    """The signature; what it is annotated with may be defined further down in the module."""
    if sys.version_info >= (3, 14):
        return inspect.signature(call, annotation_format=annotationlib.Format.FORWARDREF)
    return inspect.signature(call)


class Handler:
    """A function of the author's, with how many arguments it takes and of which type the last is. Where a call of ours stands
    around it, `marked` is the author's."""

    __slots__ = ("call", "marked", "count", "_fit")

    def __init__(self, call: Callable[..., Any], most: int = 2, marked: Callable[..., Any] | None = None) -> None:
        self.call = call
        self.marked = call if marked is None else marked
        self._fit: _fit.Fit | None = None
        parameters = [
            one for one in _signature(call).parameters.values()
            if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD, one.VAR_POSITIONAL)
        ]
        name = getattr(call, "__qualname__", repr(call))
        needed = [one for one in parameters if one.default is one.empty and one.kind is not one.VAR_POSITIONAL]
        if len(needed) > most:
            raise RoomError("invalid", f"{name} takes {len(needed)} arguments; it is given {'ctx and its data' if most == 2 else 'one'}")
        spread = any(one.kind is one.VAR_POSITIONAL for one in parameters)
        self.count = most if spread else min(len(parameters), most)

    def resolve(self) -> None:
        """Reads the annotation, once all names of the module are there."""
        if self._fit is not None:
            return
        self._fit = _fit.as_it_is
        if self.count < 2:
            return
        function = inspect.unwrap(self.call)
        parameters = list(_signature(self.call).parameters.values())
        name = parameters[1].name if len(parameters) > 1 else None
        try:
            hints = typing.get_type_hints(function if hasattr(function, "__annotations__") else function.__call__)
        except NameError as error:
            raise RoomError("invalid", f"the types of {function.__qualname__} cannot be found: {error}") from None
        if name in hints:
            self._fit = _fit.fit(hints[name])

    def accept(self, kind: Any) -> None:
        """Sets the type that it is given, whatever its parameter is annotated with."""
        self._fit = _fit.fit(kind)

    def run(self, ctx: Any, data: Any) -> Any:
        """Calls it, and runs what it awaits to the end."""
        if self.count == 0:
            return settled(self.call())
        if self.count == 1:
            return settled(self.call(ctx))
        if self._fit is None:
            self.resolve()
        return settled(self.call(ctx, self._given(data)))

    def _given(self, data: Any) -> Any:
        wanted = self._fit
        if wanted is None or wanted is _fit.as_it_is:
            return None if data is ABSENT else data
        try:
            if data is not ABSENT:
                return wanted(data, "data")
            return _of_nothing(wanted)
        except _fit.Unfit as why:
            raise Refused(BAD_DATA, str(why)) from None


def _of_nothing(wanted: _fit.Fit) -> Any:
    """No data at all reads as `null` where the type takes that, else as `{}`."""
    try:
        return wanted(None, "data")
    except _fit.Unfit as why:
        from_null = why
    try:
        return wanted({}, "data")
    except _fit.Unfit as why:
        # The client sent no object: what a type says of one helps where it names what is missing.
        raise why if str(why).endswith(" is missing") else from_null


def settled(result: Any) -> Any:
    """What a coroutine answers, run to its end at once: there is nothing in a room that it could wait for."""
    if not isinstance(result, types.CoroutineType):
        return result
    try:
        while result.send(None) is None:
            pass
    except StopIteration as ended:
        return ended.value
    result.close()
    raise RoomError("never-settled", f"{result.__qualname__} awaits something that nothing in a room settles")


class Handlers:
    """The handlers by name. A list is replaced, never changed: an event that is running keeps the one that it began with."""

    def __init__(self) -> None:
        self.events: dict[str, tuple[Handler, ...]] = {}
        self.timers: dict[str, tuple[Handler, ...]] = {}
        self.acks: dict[str, tuple[Handler, ...]] = {}
        # What the host has one hook for, whatever the name.
        self.named = {"$timer": self.timers, "$ack": self.acks}
        self._started = False

    def add(self, table: dict[str, tuple[Handler, ...]], name: str, handler: Handler) -> None:
        """Adds a handler behind the others of its name. If the host refuses the name, adds nothing."""
        size = len(_host.need_text(name, "a name").encode())
        if not 1 <= size <= NAME_BYTES:
            raise RoomError("invalid", f"a name must be a text of 1 to {NAME_BYTES} bytes")
        event = self._host_event(table, name)
        if self._started:
            handler.resolve()
            if not self._wants(event):
                _host.ask(_host.events.on, event)
        table[name] = (*table.get(name, ()), handler)

    def remove(self, table: dict[str, tuple[Handler, ...]], name: str, call: Any = None) -> bool:
        """Removes the first handler that is this function, or all of the name; whether there was one."""
        found = table.get(name, ())
        event = self._host_event(table, name)
        left: tuple[Handler, ...] = ()
        if call is not None:
            # Equal, not the same: a method is another object each time it is named.
            at = next((at for at, one in enumerate(found) if one.marked == call), None)
            if at is None:
                return False
            left = found[:at] + found[at + 1:]
        wanted = self._wants(event) if table is self.events else bool(found)
        if call is None and table is self.events and name in self.named:
            self.named[name].clear()
        if left:
            table[name] = left
        else:
            table.pop(name, None)
        if self._started and wanted and not self._wants(event):
            _host.ask(_host.events.off, event)
        return wanted

    def start(self) -> None:
        """Asks the host for all events that have handlers, each once."""
        self.resolve()
        self._started = True
        for name in [*self.events, *(hook for hook, table in self.named.items() if table)]:
            try:
                _host.ask(_host.events.on, name)
            except RoomError as why:
                raise RoomError(why.code, f"cannot register {name!r}: {why}") from None

    def resolve(self) -> None:
        for table in (self.events, self.timers, self.acks):
            for handlers in table.values():
                for handler in handlers:
                    handler.resolve()

    def of(self, event: Any) -> tuple[Handler, ...]:
        """The handlers that an event is for: its own in the order of registration, then those for all events."""
        cause = event.cause
        table = self.named.get(cause)
        if table is not None:
            return table.get(event.name, ()) + self.events.get(cause, ())
        own = self.events.get(cause, ())
        behind = self.events.get(ANY, ())
        # `*` is for events of clients. Hooks and the bare keepalive are none, and of a client's event `*` they are its own.
        if not behind or cause.startswith("$") or cause == ANY or _is_keepalive(event):
            return own
        return own + behind

    def _wants(self, event: str) -> bool:
        return event in self.events or bool(self.named.get(event))

    def _host_event(self, table: dict[str, tuple[Handler, ...]], name: str) -> str:
        for hook, one in self.named.items():
            if table is one:
                return hook
        return name


def _is_keepalive(event: Any) -> bool:
    """A bare ping, which the host answered already."""
    return bool(event.name == "ping" and event.payload is None and event.channel is None)
