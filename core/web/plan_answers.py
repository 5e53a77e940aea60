"""The questions of a plan as fields of a form: what was chosen or typed, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.bm.inputs.questions import Question
from core.errors import BadRequest
from core.web.context import Context
from core.web.i18n import N_

CHOSEN, TYPED = "a.", "t."      # before the key of a question: the option that was chosen, the text that was typed
MOST = 500                      # answers
LONGEST = 2000                  # characters of one
SELECT_FROM = 8                 # options that are no list of buttons any more


@dataclass(frozen=True, slots=True)
class Given:
    """What was sent: the answers, and those that are none, with the reason."""

    answers: Mapping[str, str]
    problems: Mapping[str, str]
    chosen: Mapping[str, str]
    typed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that can be chosen."""

    value: str
    says: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Asking:
    """A question as the page shows it."""

    key: str
    id: str
    says: str
    place: str
    instead: str                 # what to write in the definition instead
    count: int
    samples: list[str]
    choices: list[Choice]
    select: bool
    free: bool
    expression: bool
    typed: str
    problem: str


def read(values: Mapping[str, str]) -> Given:
    """The answers among the values of a form or an address. Raises BadRequest for too many or too long ones."""
    chosen = {key.removeprefix(CHOSEN): value for key, value in values.items() if key.startswith(CHOSEN)}
    typed = {key.removeprefix(TYPED): value.strip() for key, value in values.items() if key.startswith(TYPED)}
    keys = {*chosen, *typed}
    if len(keys) > MOST or any(len(one) > LONGEST for one in (*keys, *chosen.values(), *typed.values())):
        raise BadRequest(N_("The request holds too many values."))
    answers, problems = {}, {}
    for key in sorted(keys):
        one, other = chosen.get(key, ""), typed.get(key, "")
        if one and other:
            problems[key] = N_("Choose an answer or write one, not both.")
        elif not (one + other).isprintable() or not key.isprintable():
            problems[key] = N_("This is no answer.")
        elif one or other:
            answers[key] = one or other
    return Given(answers, problems, chosen, typed)


def wrong(asked: tuple[Question, ...], given: Given) -> dict[str, str]:
    """What is wrong with answers, by the key of their question."""
    known = {one.key: one for one in asked}
    problems = {key: problem for key, problem in given.problems.items() if key in known}
    for key, answer in given.answers.items():
        if key in known and not known[key].takes(answer):
            problems[key] = N_("This is no answer.")
    return problems


def stale(asked: tuple[Question, ...], given: Given) -> list[str]:
    """The answers that nothing asks for any more, by their keys."""
    known = {one.key for one in asked}
    return [key for key in given.answers if key not in known]


def fields(context: Context, asked: tuple[Question, ...], given: Given, problems: Mapping[str, str]) -> list[Asking]:
    """The questions with what was answered."""
    return [_field(context, number, one, given, problems.get(one.key, "")) for number, one in enumerate(asked, 1)]


def _field(context: Context, number: int, one: Question, given: Given, problem: str) -> Asking:
    chosen = given.chosen.get(one.key, "")
    choices = [Choice(option.value, context.text.of(option.words), option.value == chosen) for option in one.options]
    return Asking(one.key, f"q{number}", context.text.of(one.words), one.place.rpartition(":")[0], one.said, one.count,
                  [f"{sample.title} (#{sample.id})" for sample in one.samples], choices, len(choices) >= SELECT_FROM,
                  one.free, one.expression, given.typed.get(one.key, ""), context.text(problem) if problem else "")
