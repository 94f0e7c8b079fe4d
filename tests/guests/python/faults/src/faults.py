"""What goes wrong in plugins, and what of the standard library a room has: one event each."""

import asyncio
import datetime
import json
import logging
import random
import secrets
import time
import traceback
import uuid
from dataclasses import dataclass
from typing import Any

from parlor import Ctx, Room, RoomError

room = Room("faults", path="/faults")
held: list[Any] = []


@dataclass
class Point:
    x: int
    y: float = 0.5
    tags: list[str] | None = None


@room.on("exception")
def exception() -> None:
    deeper({"a": 1})


def deeper(data: dict[str, int]) -> None:
    try:
        data["b"]
    except KeyError as error:
        raise ValueError("no b") from error


@room.on("loop")
def loop() -> None:
    while True:
        pass


@room.on("memory")
def memory() -> None:
    while True:
        held.append(bytes(1 << 20))


@room.on("recursion")
def recursion() -> None:
    below(0)


def below(depth: int) -> int:
    return below(depth + 1) + 1


@room.on("deep-data")
def deep_data(ctx: Ctx) -> int:
    data: Any = []
    for _ in range(100_000):
        data = [data]
    return ctx.emit("never", data)


@room.on("library-error")
def library_error() -> None:
    json.loads("{")


@room.on("late-import")
def late_import() -> None:
    import sqlite3

    sqlite3.connect("x")


@room.on("files")
def files() -> None:
    open("/etc/passwd")


@room.on("sleep")
def sleep() -> None:
    time.sleep(1)


@room.on("exit")
def exit_() -> None:
    raise SystemExit(3)


@room.on("never")
async def never() -> None:
    await asyncio.get_running_loop().create_future()


@room.on("waits")
async def waits() -> None:
    class Forever:
        def __await__(self) -> Any:
            yield "something"

    await Forever()


@room.on("trace")
def trace(ctx: Ctx) -> str:
    try:
        deeper({})
    except ValueError:
        return traceback.format_exc()
    return ""


@room.on("point")
async def point(ctx: Ctx, at: Point) -> Point:
    return await halved(at)


async def halved(at: Point) -> Point:
    await asyncio.sleep(0)
    return Point(at.x // 2, at.y / 2, at.tags)


@room.on("library")
def library(ctx: Ctx) -> dict[str, Any]:
    print("printed", 1)
    logging.getLogger("quiz").warning("logged %d", 2)
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        "now": now.timestamp(),
        "isinstance": isinstance(now, datetime.datetime) and isinstance(now - datetime.timedelta(1), datetime.datetime),
        "time": time.time(),
        "year": time.gmtime().tm_year,
        "text": time.strftime("%Y"),
        "ids": [str(uuid.uuid4()), str(uuid.uuid1())],
        "secret": secrets.token_hex(16),
        "random": random.random(),
        "sample": random.SystemRandom().random(),
    }


@room.on("args")
def args(ctx: Ctx) -> list[Any]:
    return ctx.args


@room.on("number")
def number(ctx: Ctx, value: float) -> float:
    return value


@room.on("unique")
def unique(ctx: Ctx, values: set[Any]) -> list[Any]:
    return sorted(values)


@room.on("words")
def words(ctx: Ctx, text: str) -> str:
    return text


@room.on("no-number")
def no_number(ctx: Ctx) -> int:
    return ctx.emit("never", {"it": float("nan")})


@room.on("pieces")
def pieces(ctx: Ctx, count: int) -> list[bytes]:
    return [bytes([at]) for at in range(count)]


@room.on("fields")
def fields(ctx: Ctx) -> list[Any]:
    found: Any = ctx.meta.fields
    found["seen"] = 1
    return [ctx.socket.id, dict(ctx.meta.fields)]


@room.on("is-open")
def is_open(ctx: Ctx, id: int) -> list[Any]:
    other = room.socket(id)
    try:
        return [other.is_open, other.meta.user_id == ctx.meta.user_id]
    except RoomError as why:
        return [other.is_open, why.code]


class Marks:
    def run(self, ctx: Ctx) -> None:
        room.log.info("never marked for long")


@room.on("off")
def off(ctx: Ctx) -> list[bool]:
    marks = Marks()
    room.on_message(marks.run)
    room.on_restore(marks.run)
    room.on_alarm(marks.run)
    room.on_error(marks.run)
    room.on_suspend("marks/1")(marks.run)
    room.on_resume("marks/1")(marks.run)
    room.on_resume_any(marks.run)
    hooks = ("$message", "$restore", "$alarm", "$error", "$suspend", "$resume")
    return [room.off(hook, marks.run) for hook in hooks for _ in range(2)]
