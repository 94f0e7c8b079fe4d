"""The plugin: its events and hooks."""

from __future__ import annotations

import json
from typing import Any, Mapping

from parlor import AskAnswer, Ctx, Disconnect, Due, FailedTurn, Frame, Meta, Rejection, Request, Room

from .memory import Memory, states
from .ops import run
from .scene import Scene

NAMES = ("a", "b", "c")
"""The timers and the asks that the plugin knows."""


def define(version: int) -> Room:
    room = Room("conformance", "/conformance")
    memory = Memory(version)
    events(room, memory)
    hooks(room, memory)
    channels(room)
    for name in NAMES:
        named(room, memory, name)
    states(room, memory)
    room.authorize(lambda request: authorize(room, request))
    return room


def events(room: Room, memory: Memory) -> None:
    @room.on("do")
    async def do(ctx: Ctx, ops: Any) -> None:
        ctx.emit("did", run(Scene(room, memory, ctx), ops))

    @room.on("sync")
    def sync(ctx: Ctx, data: Any) -> None:
        ctx.emit("synced", data)

    @room.on("question")
    def question(ctx: Ctx, data: Any) -> None:
        ctx.answer(data)

    @room.on("hang")
    def hang() -> None:
        while True:
            pass


def hooks(room: Room, memory: Memory) -> None:
    @room.on_connect
    def connect(ctx: Ctx) -> None:
        run(Scene(room, memory, ctx), ctx.meta.fields.get("connect", []))

    @room.on_disconnect
    def disconnect(ctx: Ctx, end: Disconnect) -> None:
        hook = {"code": end.code, "reason": end.reason}
        run(Scene(room, memory, ctx, hook=hook), ctx.meta.fields.get("disconnect", []))

    @room.on_message
    def message(ctx: Ctx, frame: Frame) -> None:
        ctx.emit("fallback", frame)

    @room.on_error
    def error(ctx: Ctx, turn: FailedTurn) -> None:
        memory.errors.append({"event": turn.event, "code": turn.code, "message": turn.message, "socket": ctx.has_socket})

    @room.on_restore
    def restore(ctx: Ctx, reason: str) -> None:
        memory.restored = reason

    @room.on_alarm
    def alarm(ctx: Ctx, due: Due) -> None:
        hook = {"due": round(due.due * 1000), "attempt": due.attempt}
        run(Scene(room, memory, ctx, hook=hook), room.storage.get("on-alarm", []))


def channels(room: Room) -> None:
    @room.on_start
    def configured() -> None:
        """What the configuration asks the host to keep and to tell of channels."""
        for keep in filter(None, (room.config("keep") or "").split(",")):
            channel, entries, ttl, *durable = keep.split(" ")
            room.keep_history(channel, entries=int(entries), seconds=int(ttl) / 1000, durable=bool(durable))
        presence = room.config("presence")
        if presence is not None:
            room.presence(presence)
        if room.config("lines") is not None:
            room.on_lost(lambda ctx: room.emit("lost", {"client": ctx.meta.client_id}))
            room.on_back(lambda ctx: room.emit("back", {"client": ctx.meta.client_id}))
        if room.config("users") is not None:
            room.on_user_join(lambda ctx, user: tell(ctx, "user-join", user))
            room.on_user_leave(lambda ctx, user: tell(ctx, "user-leave", user))

    def tell(ctx: Ctx, event: str, user: str) -> None:
        room.emit(event, {"userId": user, "client": ctx.meta.client_id})


def named(room: Room, memory: Memory, name: str) -> None:
    @room.on_timer(name)
    def timer(ctx: Ctx, ops: Any) -> None:
        run(Scene(room, memory, ctx), ops)

    @room.on_ack(name)
    def ack(ctx: Ctx, answer: AskAnswer) -> None:
        room.emit("answered", {"name": name, "outcome": answer.outcome, "data": answer.data})


def authorize(room: Room, request: Request) -> Meta | None:
    query = request.query
    words = query.get("words", "")
    match query.get("how"):
        case None:
            return meta_of(query, query.get("user", ""))
        case "none":
            return None
        case "reject":
            raise Rejection(int(query["status"]), words)
        case "fail":
            raise Exception(words)
        case "header":
            return meta_of(query, request.header("X-User") or "")
        case "config":
            return meta_of(query, room.config("user") or "")
        case "room":
            return meta_of(query, request.room)
        case how:
            raise Rejection(400, f"how={how}: the README names what there is")


def meta_of(query: Mapping[str, str], user: str) -> Meta:
    channels = query["in"].split(",") if "in" in query else []
    return Meta(user, query.get("client", ""), channels, json.loads(query.get("fields", "{}")))
