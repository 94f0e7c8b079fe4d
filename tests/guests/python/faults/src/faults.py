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

from parlor import Ctx, Room

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
