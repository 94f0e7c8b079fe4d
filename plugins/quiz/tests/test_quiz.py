"""What a player can rely on."""

from __future__ import annotations

from typing import Any, Iterator

import pytest
from parlor import Refused
from parlor.testing import TestRoom, TestSocket
from questions import QUESTIONS


@pytest.fixture
def room() -> Iterator[TestRoom]:
    with TestRoom(config={"seconds": "20"}) as room:
        yield room


@pytest.fixture
def players(room: TestRoom) -> tuple[TestSocket, TestSocket]:
    ada, bob = (room.connect(name, query={"userId": name}) for name in ("ada", "bob"))
    return ada, bob


def choices(asked: dict[str, Any]) -> tuple[int, int]:
    """The right choice of a question, and a wrong one."""
    right = next(question.right for question in QUESTIONS if question.text == asked["text"])
    return right, (right + 1) % 4


def test_the_first_right_answer_gives_two_points(room: TestRoom, players: tuple[TestSocket, TestSocket]) -> None:
    ada, bob = players
    ada.send("quiz.start")
    asked = bob.last("quiz.question")
    assert (asked["number"], asked["of"], "right" in asked) == (1, len(QUESTIONS), False)
    right, _ = choices(asked)
    bob.send("quiz.answer", {"choice": right})
    assert ada.last("quiz.answered") == {"type": "quiz.answered", "userId": "bob", "answers": 1}
    ada.send("quiz.answer", {"choice": right})
    result = ada.last("quiz.result")
    assert (result["right"], result["points"]) == (right, {"bob": 2, "ada": 1})
    assert result["scores"] == [{"userId": "bob", "points": 2}, {"userId": "ada", "points": 1}]


def test_a_quiz_goes_on_by_itself_to_its_end(room: TestRoom, players: tuple[TestSocket, TestSocket]) -> None:
    ada, _ = players
    ada.send("quiz.start")
    room.advance((20 + 3) * len(QUESTIONS) + 1)
    events = ada.events()
    for event in ("quiz.question", "quiz.result"):
        assert len([data for data in events if data["type"] == event]) == len(QUESTIONS)
    assert events[-1] == {"type": "quiz.over", "scores": []}
    assert room.failures() == []


@pytest.mark.parametrize(
    ("data", "code"),
    [({"choice": 4}, "quiz.unknown"), ({"choice": "x"}, "bad-data"), ({}, "bad-data"), (None, "bad-data")],
)
def test_what_is_no_answer_is_refused(
    room: TestRoom, players: tuple[TestSocket, TestSocket], data: Any, code: str
) -> None:
    ada, _ = players
    ada.send("quiz.start")
    with pytest.raises(Refused) as refused:
        ada.request("quiz.answer", data)
    assert refused.value.code == code


def test_an_answer_stands(room: TestRoom, players: tuple[TestSocket, TestSocket]) -> None:
    ada, _ = players

    def refused(event: str, data: Any = None) -> str:
        with pytest.raises(Refused) as why:
            ada.request(event, data)
        return why.value.code

    assert refused("quiz.answer", {"choice": 0}) == "quiz.closed"
    ada.request("quiz.start")
    assert refused("quiz.start") == "quiz.running"
    ada.request("quiz.answer", {"choice": 0})
    assert refused("quiz.answer", {"choice": 0}) == "quiz.answered"


def test_a_restart_forgets_neither_question_nor_score(room: TestRoom, players: tuple[TestSocket, TestSocket]) -> None:
    ada, bob = players
    ada.send("quiz.start")
    right, wrong = choices(ada.last("quiz.question"))
    ada.send("quiz.answer", {"choice": right})
    bob.send("quiz.answer", {"choice": wrong})
    room.restart()
    cat = room.connect("cat", query={"userId": "cat"})
    assert cat.last("welcome")["scores"] == [{"userId": "ada", "points": 2}]
    room.advance(4)
    assert cat.last("quiz.question")["number"] == 2
