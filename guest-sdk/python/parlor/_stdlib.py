"""The standard library in a room: time, randomness, output and imports, as the contract has them.

A component knows no clock, no files and no entropy of its own: what reached for them would end the instance without a word.
`-s` of componentize-py makes it so, and what a plugin uses of the library has to be imported when it is built.
"""

from __future__ import annotations

import builtins
import datetime
import io
import linecache
import logging
import os
import random
import sys
import time
import uuid
from importlib.machinery import BuiltinImporter, FrozenImporter
from typing import Any

from . import _errors, _host
from ._errors import RoomError
from .later import write


class _Turn:
    now: float | None = None
    """When the room accepted the event of this turn, in seconds; None outside of a turn."""


turn = _Turn()


def now() -> float:
    """Seconds since the Unix epoch: in a turn the moment when the room accepted the event."""
    if turn.now is not None:
        return turn.now
    _host.need_host("the time")
    return float(_host.clock.now()) / 1000


def _now_ns() -> int:
    return round(now() * 1_000_000) * 1000


def _no_sleep(seconds: float) -> None:
    raise RoomError("no-sleep", "a handler cannot sleep: room.timers runs something later")


def entropy(count: int) -> bytes:
    """Bytes that nobody can predict."""
    _host.need_host("randomness")
    parts = []
    while count > 0:
        parts.append(bytes(_host.ask(_host.random.get_bytes, min(count, 4096))))
        count -= 4096
    return b"".join(parts)


class _AnyDatetime(type):
    """Lets what the engine's own class made be an instance of ours."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _real_datetime)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, _real_datetime)


_real_datetime = datetime.datetime


class _Datetime(_real_datetime, metaclass=_AnyDatetime):
    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return cls.fromtimestamp(now(), tz or datetime.timezone.utc) if tz else cls.utcnow()

    @classmethod
    def utcnow(cls) -> Any:
        return cls.fromtimestamp(now(), datetime.timezone.utc).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Any:
        return cls.utcnow()


_Datetime.__name__ = _Datetime.__qualname__ = "datetime"
_Datetime.__module__ = "datetime"


class _Lines(io.TextIOBase):
    """What is printed, as lines of the log."""

    def __init__(self, level: str) -> None:
        self._level = level
        self._begun = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *whole, self._begun = (self._begun + text).split("\n")
        for line in whole:
            write(self._level, line)
        if len(self._begun) > 4096:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self._begun and _host.phase.begun:
            begun, self._begun = self._begun, ""
            write(self._level, begun)


class _LogHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelno
        name = "error" if level >= 40 else "warn" if level >= 30 else "info" if level >= 20 else "debug"
        write(name, self.format(record))


class _Imports:
    """The last to be asked for a module: says that it is too late."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        raise ModuleNotFoundError(
            f"{name} was not imported when the plugin was built: import it at the top level of a module", name=name
        )


def _no_files(*args: Any, **options: Any) -> Any:
    raise RoomError("no-files", "a room has no files: room.storage keeps what must not be forgotten")


_real_compile = builtins.compile


def _compile(source: Any, filename: Any = "<string>", mode: str = "exec", *args: Any, **options: Any) -> Any:
    """Compiles. An error of syntax has the engine open the file for the line's text: it is found under a name that cannot be
    opened."""
    if isinstance(filename, str) and isinstance(source, (str, bytes)):
        try:
            _real_compile(source, filename + _errors.NO_FILE, mode, *args, **options)
        except SyntaxError as error:
            error.filename = filename
            raise
    return _real_compile(source, filename, mode, *args, **options)


def replace() -> None:
    """Takes away what would end the instance. What was printed before went to whoever builds."""
    clock: Any = time
    clock.time = clock.monotonic = clock.perf_counter = clock.process_time = clock.thread_time = now
    clock.time_ns = clock.monotonic_ns = clock.perf_counter_ns = clock.process_time_ns = clock.thread_time_ns = _now_ns
    clock.sleep = _no_sleep
    for name in ("gmtime", "localtime", "ctime"):
        setattr(clock, name, _of_now(getattr(time, name)))
    clock.strftime = _strftime(time.strftime, time.gmtime)
    library: Any = datetime
    library.datetime = _Datetime
    files: Any = os
    files.urandom = entropy
    files.getrandom = entropy
    dice: Any = random
    dice._urandom = entropy
    ids: Any = uuid
    ids.getnode = lambda: int.from_bytes(entropy(6), "big") | 1 << 40
    ids._generate_time_safe = None
    ids._UuidCreate = None
    built: Any = builtins
    built.open = io.open = _no_files
    built.compile = _compile
    lines: Any = linecache
    # What writes a traceback looks for the text of its lines in files.
    lines.updatecache = lambda filename, module_globals=None: []
    _errors.ROOTS[:] = sorted((place for place in sys.path if place.strip("/")), key=len, reverse=True)
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, _Imports]
    sys.stdout, sys.stderr = _Lines("info"), _Lines("warn")
    logging.basicConfig(level=logging.NOTSET, format="%(message)s", handlers=[_LogHandler()], force=True)
    logging.raiseExceptions = False


def _of_now(call: Any) -> Any:
    return lambda seconds=None: call(now() if seconds is None else seconds)


def _strftime(call: Any, of: Any) -> Any:
    return lambda format, t=None: call(format, of() if t is None else t)


def begin() -> None:
    """An instance begins: its dice are not those of all others."""
    if not isinstance(_host.random, _host._Missing):
        random.seed(entropy(32))


def flush() -> None:
    """The end of a turn: what was printed without a line's end is a line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, _Lines):
            stream.flush()
