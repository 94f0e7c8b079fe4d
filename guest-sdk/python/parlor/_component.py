"""The component's exports: one instance of a plugin, and the three calls that the host makes into it."""

from __future__ import annotations

import json
from typing import Any

from . import _host, _stdlib
from ._errors import Refused, RoomError, Rejection, cut, described, in_a_line, said
from ._handlers import Handler, settled
from ._json import messages, text_of
from .context import Ctx
from .later import write
from .request import Request
from .room import Room, defined
from .sockets import changed, contract_meta, end_turn

SOCKETLESS = ("$restore", "$error", "$timer", "$alarm", "$suspend", "$resume", "$check")
"""Hooks that the host itself is the cause of, so that there may be no socket."""


class _Instance:
    room: Room


def seal() -> None:
    """The end of the top level: the plugin has said by then what its room is, and nothing else can be imported."""
    if not defined:
        raise RoomError("invalid", "this plugin has no room: make one at the top level of its module, `room = Room(...)`")
    _Instance.room = defined[0]
    _Instance.room.handlers.resolve()


class Guest:
    """What the host calls."""

    def init(self) -> Any:
        try:
            _host.phase.begun = True
            _stdlib.begin()
            room = _Instance.room
            for start in room.starters:
                settled(start())
            room.handlers.start()
            for keeping in room.keeping:
                keeping.begin()
            return _host.types.Definition(room.name, room.path)
        except BaseException as error:
            raise _host.Err(in_a_line(error)) from None

    def authorize(self, request: Any) -> Any:
        authorizer = _Instance.room.authorizer
        if authorizer is None:
            return None
        try:
            asked = Request(request.uri, request.room, [tuple(pair) for pair in request.headers], request.remote)
            meta = Handler(authorizer, most=1).run(asked, None)
            return None if meta is None else contract_meta(meta)
        except Rejection as why:
            status = why.status if type(why.status) is int and 0 <= why.status <= 0xFFFF else 500
            refused = _host.types.Rejection(status, _whole(str(why.message)))
        except BaseException as error:
            write("error", f"authorize failed: {described(error)}")
            refused = _host.types.Rejection(401, "")
        finally:
            _stdlib.flush()
        raise _host.Err(refused)

    def handle(self, event: Any) -> Any:
        ctx = Ctx(_Instance.room, event)
        _stdlib.turn.now = event.accepted_at / 1000
        presences, failing = _Instance.room.presences, True
        try:
            answer = _handled(ctx, event)
            failing = False
            return answer
        except Refused as why:
            failed = _failure(why, True)
        except BaseException as error:
            write("error", described(error))
            failed = _failure(error, False)
        finally:
            if event.cause in ("$disconnect", "$user-leave") and event.socket is not None:
                changed(event.socket)
            presences.end(failing)
            end_turn()
            _stdlib.flush()
            _stdlib.turn.now = None
        raise _host.Err(failed)


def _handled(ctx: Ctx, event: Any) -> Any:
    if event.socket is None and event.cause not in SOCKETLESS:
        raise RoomError("no-socket", f"the event {event.name} came without a socket")
    presences = _Instance.room.presences
    presences.begin(event.cause, event.socket, ctx.read)
    handlers = _Instance.room.handlers.of(event)
    if not handlers and event.cause in ("$timer", "$ack"):
        # Not a failure: what set or asked it may have been another version, and nothing else is lost.
        what = "the timer" if event.cause == "$timer" else "answers to the ask"
        write("warn", f"nobody handles {what} {json.dumps(event.name, ensure_ascii=False)}: add @room.on_{event.cause[1:]}")
    for handler in handlers:
        result = handler.run(ctx, ctx.read())
        if result is not None:
            ctx.answer(result)
    # A state that is left behind is no moment to say anything.
    if event.cause != "$suspend":
        presences.tell()
    values = ctx.take_answer()
    # What an answer attaches is for itself: it comes behind the last emit.
    if not values:
        return None
    if event.cause == "$suspend":
        return _host.types.Payload_Json(text_of(values[0], "the state"))
    return messages(values, "an answer")


def _failure(error: BaseException, for_sender: bool) -> Any:
    code = error.code if isinstance(error, RoomError) else "error"
    return _host.types.Failure(cut(_whole(code), 128), cut(_whole(said(error)), 1024), for_sender)


def _whole(text: str) -> str:
    """A text that UTF-8 can carry: half of a surrogate pair becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


