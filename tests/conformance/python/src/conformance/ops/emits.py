"""Saying things to clients."""

from __future__ import annotations

from typing import Any


def milliseconds(amount: float) -> float:
    """The SDK takes seconds."""
    return amount / 1000


OPERATIONS: dict[str, Any] = {
    "emit": lambda scene, event, data: scene.ctx.emit(event, data),
    "emit-to": lambda scene, target, event, data: scene.ctx.to(target).emit(event, data),
    "emit-all": lambda scene, event, data: scene.room.emit(event, data),
    "emit-channel": lambda scene, channel, event, data: scene.room.channel(channel).emit(event, data),
    "emit-except": lambda scene, channel, clients, event, data: scene.room.channel(channel).without(*clients).emit(event, data),
    "emit-some": lambda scene, channel, users, clients, without, event, data: (
        scene.room.channel(channel).only(users=users, clients=clients, without=without).emit(event, data)
    ),
    "emit-room": lambda scene, room, channel, users, clients, event, data: (
        scene.room.other(room, channel=channel, users=users, clients=clients).emit(event, data)
    ),
    "emit-user": lambda scene, user, event, data: scene.room.user(user).emit(event, data),
    "emit-clients": lambda scene, clients, event, data: scene.room.clients(clients).emit(event, data),
    "emit-socket": lambda scene, socket, event, data: scene.room.socket(socket).emit(event, data),
    "emit-args": lambda scene, event, values: scene.ctx.emit(event, *values),
    "ask": lambda scene, event, data, name, ms: scene.ctx.ask(event, data, name=name, timeout=milliseconds(ms)),
    "ask-socket": lambda scene, socket, event, data, name, ms: scene.room.socket(socket).ask(
        event, data, name=name, timeout=milliseconds(ms)
    ),
    "answer": lambda scene, value: scene.ctx.answer(value),
    "bytes": lambda scene, numbers: bytes(numbers),
}
