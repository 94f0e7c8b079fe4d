"""Where operations run: the turn, and what they may look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parlor import Ctx, Room, RoomError

if TYPE_CHECKING:
    from .memory import Memory


class Scene:
    """One handler's run."""

    def __init__(self, room: Room, memory: Memory, ctx: Ctx, *, data: Any = None, hook: Any = None) -> None:
        memory.next = 0
        self.room = room
        self.memory = memory
        self.any = ctx
        self.data = data
        self.hook = hook

    @property
    def ctx(self) -> Ctx:
        """The context of a handler that has a socket."""
        if not self.any.has_socket:
            raise bad("this turn has no socket")
        return self.any


def bad(why: str) -> RoomError:
    """A case that asks for something that is not in the README."""
    return RoomError("bad-case", why)
