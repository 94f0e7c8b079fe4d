"""Realtime rooms for Parlor, in Python.

>>> from parlor import Ctx, Room
>>> room = Room("echo", path="/ws")
>>> @room.on("say")
... def say(ctx: Ctx, text: str) -> None:
...     room.emit("said", {"from": ctx.meta.user_id, "text": text})
"""

from ._errors import Refused, Rejection, RoomError, reject
from .context import AskAnswer, Ctx, Disconnect, Due, FailedTurn, Frame, Suspended
from .history import History, HistoryPage, Said
from .later import Alarm, Log, Timers
from .request import Request
from .room import Room
from .sockets import Meta, Socket
from .storage import Page, Storage
from .targets import Channel, OtherRoom, Target

__all__ = [
    "Alarm", "AskAnswer", "Channel", "Ctx", "Disconnect", "Due", "FailedTurn", "Frame", "History", "HistoryPage", "Log",
    "Meta", "OtherRoom", "Page", "Refused", "Rejection", "Request", "Room", "RoomError", "Said", "Socket", "Storage",
    "Suspended", "Target", "Timers", "reject",
]
