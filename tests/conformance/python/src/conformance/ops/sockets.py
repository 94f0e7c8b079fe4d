"""Sockets, and the room that they are in."""

from __future__ import annotations

from typing import Any

from parlor import Socket

from ..scene import Scene


def one(scene: Scene, id: int | None) -> Socket:
    return scene.ctx.socket if id is None else scene.room.socket(id)


def meta(scene: Scene, id: int | None = None) -> dict[str, Any]:
    known = one(scene, id).meta
    return {"user": known.user_id, "client": known.client_id, "channels": known.channels, "fields": known.fields}


OPERATIONS: dict[str, Any] = {
    "socket": lambda scene: scene.ctx.socket.id,
    "count": lambda scene: scene.room.session_count(),
    "users": lambda scene: scene.room.user_ids(),
    "room": lambda scene: scene.room.id,
    "meta": meta,
    "join": lambda scene, channel, id=None: one(scene, id).join(channel),
    "leave": lambda scene, channel, id=None: one(scene, id).leave(channel),
    "set-fields": lambda scene, fields, id=None: one(scene, id).set_fields(fields),
    "close": lambda scene, code, reason, id=None: one(scene, id).close(code, reason),
}
