"""What is asked."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    text: str
    choices: tuple[str, ...]
    right: int
    """The place of the right choice."""


QUESTIONS = (
    Question("Which planet is the largest?", ("Saturn", "Jupiter", "Neptune", "Earth"), 1),
    Question("How many bits has a byte?", ("4", "8", "16", "10"), 1),
    Question("Which of these is a fruit, to a botanist?", ("Carrot", "Spinach", "Rhubarb", "Tomato"), 3),
    Question("What is the capital of Australia?", ("Canberra", "Sydney", "Perth", "Melbourne"), 0),
    Question("How many strings has a violin?", ("6", "5", "4", "3"), 2),
)
