"""Errors with a code, and how an author finds where one came from."""

from __future__ import annotations

import os
from types import TracebackType
from typing import NoReturn, get_type_hints

FRAMES = 8
"""How many places of a traceback are told."""


class RoomError(Exception):
    """An error with a code for programs. Raised by a handler, it fails the turn with this code.

    >>> RoomError("quiz.over", "the quiz is over").code
    'quiz.over'
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


class Refused(RoomError):
    """An error that the client is told who sent the event: what :func:`reject` raises.

    >>> issubclass(Refused, RoomError)
    True
    """


class Rejection(Exception):
    """Refuses a connection, with a status and words for people. To be raised in what ``@room.authorize`` marks.

    >>> try:
    ...     raise Rejection(403, "members only")
    ... except Rejection as refused:
    ...     refused.status, refused.message
    (403, 'members only')
    """

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def reject(code: str, message: str) -> NoReturn:
    """Refuses the event: the turn is undone, and its sender gets the event ``error`` with this code and these words.

    >>> try:
    ...     reject("chat.empty", "say something first")
    ... except Refused as refused:
    ...     refused.code, str(refused)
    ('chat.empty', 'say something first')
    """
    raise Refused(str(code), str(message))


def cut(text: str, most: int) -> str:
    """Cuts a text down to so many bytes of UTF-8, between two characters."""
    if len(text) * 4 <= most:
        return text
    data = text.encode("utf-8", "replace")
    return text if len(data) <= most else data[:most].decode("utf-8", "ignore")


def said(error: BaseException) -> str:
    """An error's words with those of what caused it: ``a: b: c``."""
    parts = []
    found: BaseException | None = error
    # Causes may form a ring.
    for _ in range(8):
        if found is None:
            break
        words = str(found)
        # The words of a plain error are the author's; of others the name tells half of it.
        plain = isinstance(found, RoomError) or type(found) is Exception
        name = type(found).__name__
        parts.append(words if plain else f"{name}: {words}" if words else name)
        found = found.__cause__
    return ": ".join(parts)


_OWN = tuple(f"{os.path.dirname(call.__code__.co_filename)}/" for call in (cut, get_type_hints))
"""The folders of the SDK and of the standard library, as code names them."""


def is_own(file: str) -> bool:
    """Whether a file is the SDK's, the library's or the engine's, and not the author's."""
    return file.startswith(("<", *_OWN)) or "wit_world" in file or "componentize_py" in file


def places(trace: TracebackType | None) -> list[str]:
    """The author's places of a traceback, the innermost first. The list is walked by hand: nothing here opens a file."""
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        if not is_own(code.co_filename):
            found.append(f"{code.co_qualname} ({short(code.co_filename)}:{trace.tb_lineno})")
        trace = trace.tb_next
    # A recursion without an end has a thousand places, the same ones again and again.
    return found[:-FRAMES - 1:-1]


def short(file: str) -> str:
    """A file as the author knows it: from the folder of the sources."""
    for root in ROOTS:
        if file.startswith(f"{root}/"):
            return file[len(root) + 1:]
    return file.lstrip("/")


ROOTS: list[str] = []
"""The folders that sources lie in, the longest first."""


NO_FILE = "\ud800"
"""What the name of a file ends in that cannot be opened: no file system takes it."""


def in_a_line(error: BaseException) -> str:
    """An error for whoever starts the plugin: its words, and the innermost place."""
    words, *found = described(error).split("\n    ")
    return f"{words}, {found[0]}" if found else words


def described(error: BaseException) -> str:
    """An error for the log: its name, its words with what caused it, and where it came from."""
    words = said(error)
    if isinstance(error, SyntaxError) and error.filename:
        file = error.filename.removesuffix(NO_FILE)
        return f"{type(error).__name__}: {error.msg} ({short(file)}:{error.lineno})"
    if isinstance(error, RoomError):
        words = f"{type(error).__name__} {error.code}: {words}"
    elif type(error) is Exception:
        words = f"Exception: {words}"
    found: list[str] = []
    cause: BaseException | None = error
    # What came first, and where it happened, stand first; what followed from it comes behind.
    for _ in range(8):
        if cause is None:
            break
        found = places(cause.__traceback__) + found
        cause = cause.__cause__
    found = list(dict.fromkeys(found))[:FRAMES]
    return "\n".join([words, *(f"    at {place}" for place in found)])
