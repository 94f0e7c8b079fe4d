"""What the plugin keeps in memory, and how that goes over to the next instance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

from parlor import Ctx, Room, Suspended

from .ops import run
from .scene import Scene


@dataclass
class Memory:
    version: int
    value: Any = None
    """What `remember` set, and what goes over."""
    handlers: dict[str, tuple[str, Callable[..., Any]]] = field(default_factory=dict)
    """The handlers that `on` registered, by their tags."""
    errors: list[dict[str, Any]] = field(default_factory=list)
    """What `on_error` was told."""
    on_suspend: Any = field(default_factory=list)
    """What `$suspend` does first."""
    restored: str | None = None
    resumed: dict[str, Any] | None = None
    next: int = 0
    """Where `next` is, within the operations of one event."""

    def life(self) -> dict[str, Any]:
        """With what the instance began."""
        return {"version": self.version, "restored": self.restored, "resumed": self.resumed, "memory": self.value}


def states(room: Room, memory: Memory) -> None:
    """The hooks of an instance's beginning and its end."""
    suspend_as(room, memory, f"state/{memory.version}")
    for version in range(1, memory.version + 1):
        take(room, memory, f"state/{version}")
    if memory.version == 1:

        @room.on_resume_any
        def note(ctx: Ctx, found: Suspended) -> None:
            memory.resumed = {"schema": found.schema, "state": found.state}


def take(room: Room, memory: Memory, schema: str) -> None:
    @room.on_resume(schema)
    def resume(ctx: Ctx, state: Any) -> None:
        memory.resumed = {"schema": schema, "state": state}
        memory.value = state


def suspend_as(room: Room, memory: Memory, schema: str) -> None:
    """Registers `$suspend` under a schema; the last one counts."""

    @room.on_suspend(schema)
    def save(ctx: Ctx, reason: str) -> Any:
        run(Scene(room, memory, ctx, hook={"reason": reason}), memory.on_suspend)
        return memory.value
