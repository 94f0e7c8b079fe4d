"""The operations, by what of the SDK they call."""

from __future__ import annotations

from typing import Any

from ..scene import Scene, bad
from . import control, emits, sockets, storage, time, values

ALL = {**control.OPERATIONS, **emits.OPERATIONS, **sockets.OPERATIONS, **storage.OPERATIONS, **time.OPERATIONS, **values.OPERATIONS}
RAW = {"timer": 2, "on": 2, "try": 0, "repeat": 1, "raw": 0, "filled": 1, "on-suspend": 0}
"""The place of the argument that an operation takes as it stands."""


def run(scene: Scene, ops: Any) -> list[Any]:
    """Runs a list of operations; the list of their results."""
    if not isinstance(ops, list):
        raise bad(f"operations are a list, not {ops!r}")
    return [run_one(scene, op) for op in ops]


def run_one(scene: Scene, op: Any) -> Any:
    """Runs one operation: its arguments are evaluated but for the one that it takes as it stands."""
    if not isinstance(op, list) or not op:
        raise bad(f"an operation is a list that begins with its name, not {op!r}")
    name, *given = op
    operation = ALL.get(name)
    if operation is None:
        raise bad(f"there is no operation {name!r}")
    raw = RAW.get(name)
    return operation(scene, *(value if at == raw else evaluated(scene, value) for at, value in enumerate(given)))


def evaluated(scene: Scene, value: Any) -> Any:
    """A value, with the results of the operations in it."""
    if isinstance(value, list):
        return [evaluated(scene, item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"$"}:
        return run_one(scene, value["$"])
    return {name: evaluated(scene, item) for name, item in value.items()}
