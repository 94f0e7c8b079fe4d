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


def history(scene: Scene, channel: str, after: str | None, limit: int) -> dict[str, Any]:
    page = scene.room.history.read(channel, after=after, limit=limit)
    entries = [
        {"position": said.position, "event": said.event, "data": said.data, "at": round(said.at * 1000)} for said in page.entries
    ]
    return {"entries": entries, "recovered": page.recovered}


OPERATIONS: dict[str, Any] = {
    "socket": lambda scene: scene.ctx.socket.id,
    "count": lambda scene: scene.room.session_count(),
    "users": lambda scene: scene.room.user_ids(),
    "sockets": lambda scene, user=None: [socket.id for socket in scene.room.sockets(user)],
    "sockets-in": lambda scene, channel, after=None, limit=None: [
        socket.id for socket in scene.room.sockets_in(channel, after, limit)
    ],
    "history": history,
    "position": lambda scene, channel: scene.room.history.position(channel),
    "room": lambda scene: scene.room.id,
    "meta": meta,
    "join": lambda scene, channel, id=None: one(scene, id).join(channel),
    "leave": lambda scene, channel, id=None: one(scene, id).leave(channel),
    "set-fields": lambda scene, fields, id=None: one(scene, id).set_fields(fields),
    "close": lambda scene, code, reason, id=None: one(scene, id).close(code, reason),
}
