"""What only people can say about a change: questions with their counts, and the answers, from wherever they come.

A key says what is asked: `rename company.phone` (the name of now, or `new`), `fill company.phone` (a value,
`=expression` or `leave`), `choices stage.lost` (another value, or `keep`), `convert company.size` (a value,
`=expression` or `empty`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.bm.inputs.facts import Sample
from core.definition.source import MAX_FILE
from core.definition.yaml import quoted, read
from core.errors import Refused, Words, words
from core.types.base import BadValue

Answers = Mapping[str, str]
NO_ANSWERS: Answers = MappingProxyType({})

NEW, LEAVE, KEEP, EMPTY = "new", "leave", "keep", "empty"       # the answers that are words, not values


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that can be chosen, and what it means."""

    value: str
    words: Words


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a plan has to be told; `key` is what its answer is given under."""

    key: str
    words: Words
    options: tuple[Option, ...]
    free: bool = False                      # whether any other value, or `=expression`, is an answer too
    expression: bool = True                 # whether free text may be an expression
    count: int = 0                          # how many records it is about
    samples: tuple[Sample, ...] = ()
    place: str = ""                         # file:line:column of the definition
    said: str = ""                          # what to write in the definition instead of answering: `was: phone`
    otherwise: str = ""                     # the answer on a way back, which asks nobody
    came: tuple[str, ...] = ()              # what may be the same under a new name: else it is new

    def takes(self, answer: str) -> bool:
        """Whether that is an answer: one of the options, or any text where free text is taken."""
        return bool(answer) and (self.free or answer in {option.value for option in self.options})

    def as_json(self) -> dict[str, Any]:
        """The question for machines."""
        return {"key": self.key, "words": str(self.words), "options": [option.value for option in self.options],
                "free": self.free, "expression": self.free and self.expression, "count": self.count,
                "place": self.place, "samples": [[sample.id, sample.title] for sample in self.samples]}


def waiting(asked: Iterable[Question], answers: Answers) -> frozenset[str]:
    """What is only asked once it is said whether a field is a new one: if it is not, nothing has to fill it."""
    return frozenset(f"fill {path}" for one in asked if one.key not in answers for path in one.came)


def open_questions(asked: Iterable[Question], answers: Answers) -> tuple[Question, ...]:
    """The questions that nobody answered."""
    return tuple(one for one in asked if one.key not in answers)


def given(asked: Iterable[Question], answers: Answers, back: bool) -> dict[str, str]:
    """The answers that count, in the order of their keys; a way back takes what is said without being asked."""
    found = {one.key: one.otherwise for one in asked if back and one.otherwise}
    found.update(answers)
    return dict(sorted(found.items()))


def wrong_answers(asked: Iterable[Question], answers: Answers) -> Iterator[Words]:
    """Answers that are none, and such as nobody asked for: a plan never passes over what it was told."""
    keys = {one.key: one for one in asked}
    for key, answer in sorted(answers.items()):
        one = keys.get(key)
        if one is None:
            yield words('nothing asks "{key}"; asked is: {keys}', key=key,
                        keys=", ".join(sorted(keys)) or words("nothing"))
        elif not one.takes(answer):
            yield words('"{answer}" is no answer to "{key}"; say one of: {options}', answer=answer, key=key,
                        options=", ".join(option.value for option in one.options))


def unfit(key: str, error: BadValue) -> Words:
    """That a value which was answered is none of its type."""
    return words('the answer to "{key}" is wrong: {problem}', key=key, problem=words(error.message, **error.params))


def read_answers(file: Path | None, pairs: Iterable[str] = ()) -> dict[str, str]:
    """The answers of a file and of `KEY=VALUE` pairs. Raises Refused, naming file and line or the pair."""
    found = _of_file(file) if file is not None else {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        key = " ".join(key.split())
        if not equals or not key or not value:
            raise Refused('"{pair}" is no answer; write it as KEY=VALUE, such as "rename company.phone=telephone"',
                          pair=pair)
        if found.setdefault(key, value) != value:
            raise Refused('"{key}" is answered twice, "{one}" and "{other}"', key=key, one=found[key], other=value)
    return found


def _of_file(file: Path) -> dict[str, str]:
    try:
        with file.open("rb") as answers:
            data = answers.read(MAX_FILE + 1)           # it may be a pipe, or one that never ends
    except OSError as error:
        raise Refused("{file} cannot be read: {reason}", file=str(file), reason=error.strerror or str(error)) from None
    value, places, problems = read(data, str(file))
    if problems:
        raise Refused("\n".join(map(str, problems)))
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused("{file}: answers are written as lines, `key: answer`", file=str(file))
    found = {}
    for key, answer in value.items():
        if isinstance(answer, dict | list) or answer in (None, ""):
            mark = places.get((key,))
            raise Refused('{place}: the answer to "{key}" is one value', place=f"{file}:{mark.line if mark else 1}",
                          key=key)
        found[" ".join(key.split())] = str(answer).lower() if isinstance(answer, bool) else str(answer)
    return found


def as_yaml(answers: Answers) -> str:
    """Answers as the text of a file that `--answers` reads."""
    return "".join(f"{quoted(key)}: {quoted(answer)}\n" for key, answer in answers.items())
