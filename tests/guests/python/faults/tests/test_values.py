"""What clients send and get, and what handlers know of sockets and of each other."""

from __future__ import annotations

import json
from typing import Any, Iterator

import pytest
from parlor import Refused
from parlor.testing import TestRoom, TestSocket


@pytest.fixture(scope="module")
def room() -> Iterator[TestRoom]:
    with TestRoom() as room:
        yield room
        assert room.failures() == []


@pytest.fixture
def ada(room: TestRoom) -> Iterator[TestSocket]:
    ada = room.connect("ada")
    yield ada
    ada.leave()


def refused(socket: TestSocket, event: str, data: Any = None) -> tuple[str, str]:
    with pytest.raises(Refused) as why:
        socket.request(event, data)
    return why.value.code, why.value.message


@pytest.mark.parametrize(
    ("event", "data", "words"),
    [
        ("unique", [2, [1]], "data[1] must be what a set can hold, not a list"),
        ("unique", [{}], "data[0] must be what a set can hold, not an object"),
        ("words", None, "data must be a text, not null"),
        ("words", {}, "data must be a text, not an object"),
        ("number", None, "data must be a number, not null"),
        ("point", None, "data.x is missing"),
    ],
)
def test_data_that_does_not_fit_is_refused(ada: TestSocket, event: str, data: Any, words: str) -> None:
    assert refused(ada, event, data) == ("bad-data", words)


@pytest.mark.parametrize(
    ("event", "number", "words"),
    [
        ("number", "1" * 400, "data must be a number below 1.8e308, not the number 1111"),
        ("number", "1e999", "the data cannot be read: a number in it is too large"),
        ("args", "[-1e999]", "the data cannot be read: a number in it is too large"),
    ],
)
def test_a_number_past_all_floats_is_refused(ada: TestSocket, event: str, number: str, words: str) -> None:
    # As text: the steps of the protocol are JSON whose numbers are floats.
    ada.room.step("send", {"from": "ada", "text": f'{{"type":{json.dumps(event)},"data":{number}}}'})
    told = ada.last("error")
    assert (told["code"], told["message"][:len(words)]) == ("bad-data", words)


def test_a_request_raises_where_nobody_handles_it_or_its_turn_fails(ada: TestSocket) -> None:
    assert refused(ada, "nobody") == ("no-handler", "")
    assert refused(ada, "exception") == ("error", "")
    assert refused(ada, "no-number") == ("json", "")
    assert [failed["code"] for failed in ada.room.failures()] == ["error", "json"]


def test_more_bytes_than_a_message_carries_are_base64_as_the_others(ada: TestSocket) -> None:
    found = ada.request("pieces", 18)
    assert (len(found), found[15:]) == (18, [{"base64": "Dw=="}, {"base64": "EA=="}, {"base64": "EQ=="}])


def test_a_change_of_the_fields_stays_within_its_copy(ada: TestSocket) -> None:
    assert [ada.request("fields")[1] for _ in range(2)] == [{}, {}]


def test_a_socket_that_left_is_not_open(room: TestRoom, ada: TestSocket) -> None:
    bob = room.connect("bob")
    id = bob.request("fields")[0]
    assert ada.request("is-open", id) == [True, False]
    bob.leave()
    assert ada.request("is-open", id) == [False, "no-such-socket"]


def test_off_finds_what_was_marked_in_whatever_way(ada: TestSocket) -> None:
    assert ada.request("off") == [True, False] * 6
