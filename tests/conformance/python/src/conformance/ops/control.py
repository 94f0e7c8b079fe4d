"""Handlers, errors, the log and memory."""

from __future__ import annotations

from typing import Any

from parlor import Ctx, RoomError, reject

from .. import memory as memories
from .. import ops
from ..scene import Scene, bad

LEVELS = ("debug", "info", "warn", "error")


def on(scene: Scene, event: str, tag: str, raw: Any) -> None:
    room, memory = scene.room, scene.memory

    def handler(ctx: Ctx, data: Any) -> None:
        # What the runner asks for itself is no part of a case.
        if ctx.event != "sync":
            ops.run(Scene(room, memory, ctx, data=data), raw)

    room.on(event, handler)
    memory.handlers[tag] = (event, handler)


def off(scene: Scene, tag: str) -> bool:
    found = scene.memory.handlers.pop(tag, None)
    return found is not None and scene.room.off(*found)


def throw(scene: Scene, message: str) -> None:
    raise Exception(message)


def fail(scene: Scene, code: str, message: str) -> None:
    raise RoomError(code, message)


def attempt(scene: Scene, op: Any) -> dict[str, Any]:
    try:
        return {"ok": ops.run_one(scene, op)}
    except RoomError as why:
        return {"error": why.code}
    except Exception:
        return {"error": "error"}


def repeat(scene: Scene, count: int, op: Any) -> Any:
    last = None
    for _ in range(count):
        last = ops.run_one(scene, op)
    return last


def log(scene: Scene, level: str, text: str) -> None:
    if level not in LEVELS:
        raise bad(f"there is no level {level!r}")
    getattr(scene.room.log, level)(text)


def remember(scene: Scene, value: Any) -> None:
    scene.memory.value = value


def errors(scene: Scene) -> list[dict[str, Any]]:
    found, scene.memory.errors = scene.memory.errors, []
    return found


def on_suspend(scene: Scene, raw: Any) -> None:
    scene.memory.on_suspend = raw


OPERATIONS: dict[str, Any] = {
    "on": on,
    "off": off,
    "off-all": lambda scene, event: scene.room.off(event),
    "throw": throw,
    "fail": fail,
    "reject": lambda scene, code, message: reject(code, message),
    "try": attempt,
    "repeat": repeat,
    "log": log,
    "remember": remember,
    "life": lambda scene: scene.memory.life(),
    "errors": errors,
    "suspend-as": lambda scene, schema: memories.suspend_as(scene.room, scene.memory, schema),
    "on-suspend": on_suspend,
}
