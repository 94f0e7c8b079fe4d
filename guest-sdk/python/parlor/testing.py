"""A room in a test: the server's own room and your component in one process, with time that passes when the test says so.

It starts `parlor room`, so that program has to be installed: `parlor` on PATH, or what the variable PARLOR names.
"""

from __future__ import annotations

import atexit
import base64
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Mapping

from ._errors import Refused

_built: dict[Path, Path] = {}
"""What was built in this process, by the folder of its project."""


def _program() -> str:
    return os.environ.get("PARLOR", "parlor")


def build(project: str | os.PathLike[str] = ".") -> Path:
    """Builds a project as `parlor dev` does, once a process; answers the component's file.

    >>> room = TestRoom(build("."))  # doctest: +SKIP
    """
    place = Path(project).resolve()
    if place not in _built:
        out = Path(tempfile.mkdtemp(prefix="parlor-test-"))
        atexit.register(shutil.rmtree, out, ignore_errors=True)
        ran = subprocess.run([_program(), "build", "--dev", str(place), "--out", str(out)], capture_output=True, text=True)
        if ran.returncode != 0:
            raise RuntimeError(f"{place} does not build:\n{ran.stderr}")
        _built[place] = next(out.glob("*.wasm"))
    return _built[place]


class TestSocket:
    """A client of a :class:`TestRoom`.

    >>> with TestRoom() as room:  # doctest: +SKIP
    ...     ada = room.connect("ada")
    ...     ada.send("say", {"text": "hi"})
    ...     ada.events()
    """

    __test__ = False

    def __init__(self, room: TestRoom, name: str) -> None:
        self.room = room
        self.name = name

    def send(self, event: str, data: Any = None, **frame: Any) -> None:
        """Sends an event, and waits until the room has handled it. None is no data; ``frame`` adds members to the frame."""
        self.room.step("send", {"from": self.name, "frame": _frame(event, data, frame)})

    def request(self, event: str, data: Any = None, **frame: Any) -> Any:
        """Sends an event with an ``id``; answers the data of the acknowledgement: ``bytes`` where it is bytes, None where there
        is none. Raises :class:`parlor.Refused`, with the code and the words, where the acknowledgement is a refusal; of a turn
        that failed it has no words, which :meth:`TestRoom.failures` has.

        >>> with TestRoom() as room:  # doctest: +SKIP
        ...     try:
        ...         room.connect("ada").request("say", {"text": ""})
        ...     except Refused as why:
        ...         assert why.code == "say.empty"
        """
        ack = self.room.step("request", {"from": self.name, "frame": _frame(event, data, frame)})
        if "error" in ack:
            why = ack["error"]
            # Of a turn that failed, clients are told the code alone.
            raise Refused(why["code"], why.get("message", ""))
        return base64.b64decode(ack["base64"]) if "base64" in ack else ack.get("data")

    def answer(self, data: Any = None) -> None:
        """Answers the first ask that was not answered yet."""
        self.room.step("answer", {"from": self.name, "frame": {} if data is None else {"data": data}})

    def frames(self) -> list[dict[str, Any]]:
        """The frames that came since the last look, as they came."""
        return list(self.room.step("frames", self.name))

    def events(self, event: str | None = None) -> list[dict[str, Any]]:
        """The data of the events that came since the last look, each with its ``type``; or those of one event alone."""
        found = [frame["data"] for frame in self.frames() if frame.get("type") == "event"]
        return found if event is None else [data for data in found if data["type"] == event]

    def last(self, event: str) -> dict[str, Any]:
        """The last event of this name since the last look."""
        found = self.events()
        named = [data for data in found if data["type"] == event]
        if not named:
            raise AssertionError(f"{self.name} got no {event!r}, only {found}")
        return named[-1]

    def lose_line(self) -> None:
        """Breaks the line of a client that may come back, since its query has ``resume``, and waits until `$lost` has run."""
        self.room.step("lose-line", self.name)

    def come_back(self) -> None:
        """Has the client come back over another line, with nothing missing, and waits until `$back` has run."""
        self.room.step("come-back", self.name)

    def leave(self, code: int = 1000, reason: str = "") -> None:
        """Closes the socket, and waits until `$disconnect` has run."""
        self.room.step("leave", {"who": self.name, "code": code, "reason": reason})

    @property
    def closed(self) -> dict[str, Any] | None:
        """How it was closed, by whichever side: ``{"code", "reason"}``; None where it is open."""
        found: dict[str, Any] | None = self.room.step("closed", self.name)
        return found


class TestRoom:
    """A room of a component; of the project in this folder where none is named.

    >>> from parlor.testing import TestRoom
    >>> with TestRoom("quiz.wasm", config={"motd": "hi"}) as room:  # doctest: +SKIP
    ...     ada = room.connect("ada")
    ...     ada.send("answer", {"choice": 1})
    ...     assert ada.last("score")["points"] == 1
    ...     room.advance(60)
    ...     assert room.failures() == []
    """

    __test__ = False

    def __init__(
        self,
        component: str | os.PathLike[str] | None = None,
        *,
        room: str = "room",
        config: Mapping[str, str] | None = None,
        now: float | None = None,
        seed: int = 0,
        second: str | os.PathLike[str] | None = None,
    ) -> None:
        command = [_program(), "room", str(build() if component is None else component), "--stdio"]
        if second is not None:
            command += ["--second", str(second)]
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        except FileNotFoundError:
            raise RuntimeError(f"{command[0]} is missing: install parlor, or name it in the variable PARLOR") from None
        opened: dict[str, Any] = {"room": room, "seed": seed, "config": dict(config or {})}
        if now is not None:
            opened["now"] = round(now * 1000)
        self._failures: list[dict[str, Any]] = []
        self.about = self.step("open", opened)
        """What the plugin says of itself: ``name``, ``path``, ``version``, ``events``; and ``room`` and ``now``."""

    def step(self, verb: str, value: Any = None) -> Any:
        """Takes a step of the protocol that the page "The harness" of the documentation describes."""
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the room is closed")
        try:
            print(json.dumps(verb if value is None else {verb: value}), file=process.stdin, flush=True)
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError("`parlor room` ended; its last words are above")
        answer = json.loads(line)
        if "error" in answer:
            raise AssertionError(f"{verb}: {answer['error']}")
        return answer["ok"]

    def connect(self, name: str, *, query: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None) -> TestSocket:
        """Opens a socket as a browser does: the plugin's ``authorize`` decides. The query has ``user`` and ``client``, both
        the name unless it says otherwise."""
        self.step("connect", {"as": name, "query": dict(query or {}), "headers": dict(headers or {})})
        return TestSocket(self, name)

    def connect_as(
        self,
        name: str,
        *,
        client: str | None = None,
        channels: list[str] | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> TestSocket:
        """Opens a socket of a user of this name, past ``authorize``."""
        meta: dict[str, Any] = {"user": name, "client": client or name, "channels": channels or ["default"]}
        self.step("connect", {"as": name, "meta": {**meta, "fields": dict(fields or {})}})
        return TestSocket(self, name)

    def refused(self, *, query: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Asks for a socket that is refused; answers ``{"status", "body"}``."""
        found: dict[str, Any] = self.step("refused", {"query": dict(query or {}), "headers": dict(headers or {})})
        return found

    def advance(self, seconds: float) -> None:
        """Lets time pass; timers and the alarm ring on their way."""
        self.step("advance", round(seconds * 1000))

    def sleep(self) -> None:
        """The room gives up its instance; the next event wakes it."""
        self.step("sleep")

    def crash(self) -> None:
        """The instance is lost, as after a fault."""
        self.step("crash")

    def check(self) -> None:
        """Runs ``on_check``, as ``parlor simulate`` does after each of its steps; fails where it does."""
        self.step("check")
        new = self.step("failures")
        self._failures += new
        for failure in new:
            if failure["event"] == "$check":
                raise AssertionError(f"on_check failed with {failure['code']}: {failure['message']}")

    def restart(self) -> None:
        """The server dies and is started again: all sockets are gone, and what is stored is there."""
        self.step("restart")

    def swap(self, component: str | os.PathLike[str] | None = None) -> None:
        """Another version takes over: this one, or ``second``."""
        self.step("swap", None if component is None else str(component))

    def stored(self, key: str | None = None) -> Any:
        """All that the room stores, or the value of a key; None where it has none."""
        found = self.step("stored")
        return found if key is None else found.get(key)

    def failures(self) -> list[dict[str, Any]]:
        """The turns that failed since the last look: ``{"event", "code", "message"}`` each. Rejections are not among them."""
        found: list[dict[str, Any]] = self._failures + self.step("failures")
        self._failures = []
        return found

    def log(self) -> list[str]:
        """The lines of the plugin's log since the last look, as ``"info: words"``."""
        return list(self.step("log"))

    def close(self) -> None:
        """Ends the room."""
        process = self._process
        if process.stdin is not None:
            process.stdin.close()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def __enter__(self) -> TestRoom:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _frame(event: str, data: Any, more: Mapping[str, Any]) -> dict[str, Any]:
    frame = {"type": event, **more}
    if data is not None:
        frame["data"] = data
    return frame
