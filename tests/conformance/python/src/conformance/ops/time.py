"""Time, and what is to run later."""

from __future__ import annotations

import time
from typing import Any

from ..scene import Scene


def alarm(scene: Scene) -> float | None:
    at = scene.room.alarm.get()
    return None if at is None else round(at * 1000)


OPERATIONS: dict[str, Any] = {
    "now": lambda scene: round(time.time() * 1000),
    "timer": lambda scene, name, ms, raw: scene.room.timers.set(name, ms / 1000, raw),
    "timer-cancel": lambda scene, name: scene.room.timers.cancel(name),
    "alarm-in": lambda scene, ms: scene.room.alarm.set_in(ms / 1000),
    "alarm-at": lambda scene, at: scene.room.alarm.set(at / 1000),
    "alarm": alarm,
    "alarm-cancel": lambda scene: scene.room.alarm.cancel(),
}
