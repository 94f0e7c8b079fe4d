"""A quiz: whoever answers right gets a point, and the first of them two."""

import random
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from parlor import Ctx, Meta, Rejection, Request, Room, reject

from questions import QUESTIONS

room = Room("quiz", path="/ws/quiz")

ROUND = "round"
"""The key of the question that is open."""
NEXT = "next"
"""The timer that ends a question, and that asks the next one."""
PAUSE_SECONDS = 3.0
"""How long a result stands."""


@dataclass
class Round:
    """What is known of a round, in the storage: a crash or a restart of the server forgets nothing of it."""

    order: list[int]
    """The questions that are asked, by their places."""
    at: int = 0
    ends: float = 0.0
    """When the question ends; 0 while its result stands."""
    answers: dict[str, int] = field(default_factory=dict)
    """The choices by user, in the order in which they came."""


@dataclass
class Answer:
    choice: int


@room.authorize
def who(request: Request) -> Meta:
    name = request.query.get("userId", "").strip()
    if len(name) > 30:
        raise Rejection(400, "a name has up to 30 characters")
    return Meta(name or f"guest-{random.randrange(10_000):04}")


@room.on_connect
def connect(ctx: Ctx) -> None:
    ctx.emit("welcome", {"userId": ctx.meta.user_id, "scores": scores()})
    open_round = current()
    if open_round is not None and open_round.ends:
        ctx.emit("quiz.question", shown(open_round))


@room.on("quiz.start")
def start() -> None:
    if current() is not None:
        reject("quiz.running", "a quiz is running")
    for score in scores():
        room.storage.delete(f"score/{score['userId']}")
    ask(Round(random.sample(range(len(QUESTIONS)), len(QUESTIONS))))


@room.on("quiz.answer")
def answer(ctx: Ctx, given: Answer) -> None:
    open_round, user = current(), ctx.meta.user_id
    if open_round is None or not open_round.ends:
        reject("quiz.closed", "no question is open")
    if user in open_round.answers:
        reject("quiz.answered", "you have answered already")
    if not 0 <= given.choice < len(question(open_round).choices):
        reject("quiz.unknown", "there is no such choice")
    open_round.answers[user] = given.choice
    room.storage.put(ROUND, open_round)
    room.emit("quiz.answered", {"userId": user, "answers": len(open_round.answers)})
    # Nobody is left to wait for.
    if all(other in open_round.answers for other in room.user_ids()):
        close(open_round)


@room.on_timer(NEXT)
def next_() -> None:
    open_round = current()
    if open_round is None:
        return
    if open_round.ends:
        close(open_round)
    elif open_round.at + 1 < len(open_round.order):
        ask(Round(open_round.order, open_round.at + 1))
    else:
        room.storage.delete(ROUND)
        room.emit("quiz.over", {"scores": scores()})


@room.on_restore
def restore(ctx: Ctx, reason: str) -> None:
    # Timers outlive the instance, and not the server.
    if reason == "restart" and current() is not None:
        room.timers.set(NEXT, PAUSE_SECONDS)


def ask(open_round: Round) -> None:
    """Asks the question that is next."""
    seconds = float(room.config("seconds") or 20)
    open_round.ends = time.time() + seconds
    room.storage.put(ROUND, open_round)
    room.timers.set(NEXT, seconds)
    room.emit("quiz.question", shown(open_round))


def close(open_round: Round) -> None:
    """Ends the question that is open, and gives the points."""
    right = question(open_round).right
    winners = [user for user, choice in open_round.answers.items() if choice == right]
    points = {user: 1 if place else 2 for place, user in enumerate(winners)}
    for user, gained in points.items():
        key = f"score/{user}"
        room.storage.put(key, room.storage.get(key, 0) + gained)
    open_round.ends = 0.0
    room.storage.put(ROUND, open_round)
    room.timers.set(NEXT, PAUSE_SECONDS)
    room.emit("quiz.result", {"right": right, "points": points, "scores": scores()})


def current() -> Round | None:
    return room.storage.get(ROUND, type=Round)


def question(open_round: Round) -> Any:
    return QUESTIONS[open_round.order[open_round.at]]


def shown(open_round: Round) -> dict[str, Any]:
    """A question as clients get it, without what is right."""
    asked = {name: value for name, value in asdict(question(open_round)).items() if name != "right"}
    times = {"ends": round(open_round.ends * 1000), "now": round(time.time() * 1000)}
    return {**asked, **times, "number": open_round.at + 1, "of": len(open_round.order)}


def scores() -> list[dict[str, Any]]:
    """The scores, the best first."""
    found = room.storage.list("score/", type=int)
    ranked = sorted(found.items(), key=lambda score: (-score[1], score[0]))
    return [{"userId": key.removeprefix("score/"), "points": points} for key, points in ranked]
