"""The room's keys and values."""

from __future__ import annotations

from typing import Any

from ..scene import Scene


def page(scene: Scene, prefix: str, after: str | None, limit: int) -> dict[str, Any]:
    found = scene.room.storage.page(prefix, after=after, limit=limit)
    return {"keys": list(found.entries), "next": found.next}


def get_bytes(scene: Scene, key: str) -> list[int] | None:
    found = scene.room.storage.get_bytes(key)
    return None if found is None else list(found)


OPERATIONS: dict[str, Any] = {
    "get": lambda scene, key: scene.room.storage.get(key),
    "put": lambda scene, key, value: scene.room.storage.put(key, value),
    "delete": lambda scene, key: scene.room.storage.delete(key),
    "get-many": lambda scene, keys: list(scene.room.storage.get_many(keys).items()),
    "put-many": lambda scene, entries: scene.room.storage.put_many(dict(entries)),
    "delete-many": lambda scene, keys: scene.room.storage.delete_many(keys),
    "list": lambda scene, prefix: list(scene.room.storage.list(prefix).items()),
    "page": page,
    "put-bytes": lambda scene, key, numbers: scene.room.storage.put_bytes(key, bytes(numbers)),
    "get-bytes": get_bytes,
}
