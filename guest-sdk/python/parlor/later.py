"""What is to run later: timers, and the alarm. And the log."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from . import _host
from ._errors import RoomError, cut
from ._handlers import ABSENT
from ._host import need_text
from ._json import text_of
from .sockets import milliseconds

_TIMER = "a timer's name"


class Timers:
    """The room's timers, by name: ``room.timers``. They live in memory; what must not be forgotten is for the alarm.

    >>> from parlor import Ctx, Room
    >>> room = Room("game")
    >>> @room.on("start")
    ... def start(ctx: Ctx) -> None:
    ...     room.timers.set("tick", 0.05, {"n": 1})
    >>> @room.on_timer("tick")
    ... def tick(ctx: Ctx, data: dict[str, int]) -> None:
    ...     room.emit("tick", data)
    """

    def set(self, name: str, delay: float | timedelta, data: object = ABSENT) -> None:
        """Lets ``@room.on_timer(name)`` run once in so many seconds, with this data. A timer of the same name is replaced."""
        need_text(name, _TIMER)
        wait = milliseconds(delay, "a timer's delay", 0)
        body = None if data is ABSENT else _host.types.Payload_Json(text_of(data, "a timer's data"))
        _host.ask(_host.timers.set, name, wait, body)

    def cancel(self, name: str) -> bool:
        """Forgets a timer; whether it was set."""
        return bool(_host.ask(_host.timers.cancel, need_text(name, _TIMER)))


class Alarm:
    """The room's one alarm: ``room.alarm``. It survives crashes and restarts, and needs nobody in the room.

    >>> from datetime import timedelta
    >>> from parlor import Ctx, Due, Room
    >>> room = Room("quiz")
    >>> @room.on("open")
    ... def open_(ctx: Ctx) -> None:
    ...     room.alarm.set_in(timedelta(days=1))
    >>> @room.on_alarm
    ... def close(ctx: Ctx, due: Due) -> None:
    ...     room.storage.delete("open")
    """

    def set(self, at: datetime | float) -> None:
        """Lets ``@room.on_alarm`` run at a time: a datetime, or seconds since the Unix epoch as of ``time.time()``."""
        moment = at.timestamp() if isinstance(at, datetime) else at
        if isinstance(moment, bool) or not isinstance(moment, (int, float)) or moment != moment:
            raise RoomError("invalid", "an alarm is set to a datetime, or to seconds since the Unix epoch")
        _host.ask(_host.alarm.set, round(float(moment) * 1000, 3))

    def set_in(self, delay: float | timedelta) -> None:
        """Lets it run in so many seconds."""
        self.set(time.time() + (delay.total_seconds() if isinstance(delay, timedelta) else delay))

    def get(self) -> float | None:
        """When it is due, in seconds since the Unix epoch; None where it is not set."""
        at = _host.ask(_host.alarm.get)
        return None if at is None else at / 1000

    def cancel(self) -> None:
        """Forgets it; nothing happens where it is not set."""
        _host.ask(_host.alarm.cancel)


LINE_BYTES = 1024
"""What a line of the log holds; the host cuts off the rest without a word."""
_CUT = " ... (cut)"


def write(level: str, text: str) -> None:
    """Writes one line of the log, at ``debug``, ``info``, ``warn`` or ``error``."""
    short = cut(text, LINE_BYTES)
    if short != text:
        short = cut(text, LINE_BYTES - len(_CUT)) + _CUT
    if not short.isascii():
        short = short.encode("utf-8", "replace").decode()
    _host.logging.write(_host.logging.Level[level.upper()], short)


class Log:
    """The plugin's log: ``room.log``. ``print`` and the module ``logging`` write to it as well.

    >>> from parlor import Room
    >>> room = Room("lobby")
    >>> @room.on_connect
    ... def connect(ctx) -> None:
    ...     room.log.debug("somebody came", ctx.meta.user_id)
    """

    def debug(self, *values: Any) -> None:
        """Writes a line for whoever looks for a fault."""
        self._write("debug", values)

    def info(self, *values: Any) -> None:
        """Writes a line that is worth knowing."""
        self._write("info", values)

    def warn(self, *values: Any) -> None:
        """Writes that something looks wrong."""
        self._write("warn", values)

    def error(self, *values: Any) -> None:
        """Writes that something went wrong."""
        self._write("error", values)

    def _write(self, level: str, values: tuple[Any, ...]) -> None:
        _host.need_host("the log")
        write(level, " ".join(str(value) for value in values))
