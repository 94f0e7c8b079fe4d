"""What `tests/load/guest` does in Rust."""

import time
from dataclasses import dataclass
from typing import Any

from parlor import Ctx, Room

room = Room("bench", path="/bench")


@dataclass
class Note:
    n: int
    text: str


def stamped(note: Note) -> dict[str, Any]:
    return {"n": note.n, "text": note.text, "at": time.time_ns() // 1_000_000}


@room.on("echo")
def echo(ctx: Ctx, note: Note) -> None:
    ctx.emit("echo", stamped(note))


@room.on("relay")
def relay(ctx: Ctx) -> None:
    """The boundary alone, for the benchmark: the data goes back as it came."""
    ctx.emit("relay", ctx.data)


@room.on("say")
def say(ctx: Ctx, note: Note) -> None:
    room.emit("say", stamped(note))


@room.on("recall")
def recall(ctx: Ctx, note: Note) -> None:
    for key in ("first", "second", "third"):
        if room.storage.get(key) is None:
            room.storage.put(key, note.text)
    ctx.emit("recall", stamped(note))
