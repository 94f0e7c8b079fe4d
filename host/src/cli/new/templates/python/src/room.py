"""A room in which everybody hears what anybody says, with a number that counts on."""

from dataclasses import dataclass

from parlor import Ctx, Room, reject

room = Room("{{name}}", path="/{{name}}")

COUNT = "count"
"""The key of how many messages there were."""


@dataclass
class Say:
    text: str


@room.on_connect
def connect(ctx: Ctx) -> None:
    said = room.storage.get(COUNT, 0)
    ctx.emit("welcome", {"userId": ctx.meta.user_id, "motd": room.config("motd"), "said": said})


@room.on_disconnect
def disconnect(ctx: Ctx) -> None:
    room.emit("left", {"userId": ctx.meta.user_id, "left": room.session_count()})


# A handler is one turn: where it raises, what it stored and emitted until then never happened.
@room.on("say")
def say(ctx: Ctx, message: Say) -> None:
    number = room.storage.get(COUNT, 0) + 1
    room.storage.put(COUNT, number)
    if not message.text.strip():
        reject("say.empty", "say something")
    room.emit("said", {"number": number, "from": ctx.meta.user_id, "text": message.text})
