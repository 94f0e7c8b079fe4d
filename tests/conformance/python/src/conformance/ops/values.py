"""What cases are put together with."""

from __future__ import annotations

import uuid
from typing import Any

from .. import ops
from ..scene import Scene, bad


def filled(scene: Scene, count: int, raw: Any) -> list[Any]:
    return [ops.evaluated(scene, raw) for _ in range(count)]


def nested(scene: Scene, count: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(count - 1):
        found = [found]
    return found


def size(scene: Scene, value: Any) -> int:
    if not isinstance(value, (str, list)):
        raise bad(f"{value!r} has no size")
    return len(value)


def next_(scene: Scene) -> int:
    scene.memory.next += 1
    return scene.memory.next


OPERATIONS: dict[str, Any] = {
    "raw": lambda scene, raw: raw,
    "data": lambda scene: scene.data,
    "frame": lambda scene: scene.any.frame,
    "hook": lambda scene: scene.hook,
    "config": lambda scene, key: scene.room.config(key),
    "random": lambda scene: str(uuid.uuid4()),
    "text": lambda scene, text, count: text * count,
    "concat": lambda scene, *parts: "".join(str(part) for part in parts),
    "filled": filled,
    "nested": nested,
    "size": size,
    "equal": lambda scene, a, b: same(a, b),
    "next": next_,
}


def same(a: Any, b: Any) -> bool:
    """Whether two values are the same in JSON, where true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(value, b[name]) for name, value in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)
