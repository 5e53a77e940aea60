"""What only people can say of records that are there: what fills, where removed values go, what cannot be converted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from core.bm.changes import migrations
from core.bm.changes.required import EMPTY as EMPTY_VALUES
from core.bm.changes.required import newly_required
from core.bm.inputs.questions import EMPTY, KEEP, LEAVE, Option, Question, unfit
from core.bm.versions import choice_values
from core.errors import Words, words
from core.types.base import PLAIN, BadValue

if TYPE_CHECKING:
    from core.bm.inputs.facts import Finding
    from core.bm.inputs.way import Way
    from core.definition.model import Field

HOLDS = "holds"                         # the finding: records that hold a value of choices, or a state
UNCONVERTIBLE = "unconvertible"         # the finding: records whose value means nothing in the new type
MOST_OPTIONS = 30                       # values of choices that are offered one by one


def questions(way: Way) -> Iterator[Question]:
    """Each with how many records it is about; nothing is asked of what no record has."""
    yield from _fills(way)
    yield from _choices(way)
    yield from _conversions(way)


def problems(way: Way) -> Iterator[Words]:
    """Answers that the field's type does not take; expressions are told by what fills (migrations.py)."""
    if way.target.model is None:
        return
    for key, answer in way.answers.items():
        word, _, path = key.partition(" ")
        table, _, name = path.partition(".")
        one = way.target.model.field(table, name) if table in way.target.model.tables else None
        if one is None or word not in ("fill", "convert") or answer in (LEAVE, EMPTY) or answer.startswith("="):
            continue
        try:
            literal(one, answer)
        except BadValue as error:
            yield unfit(key, error)


def literal(one: Field, answer: str) -> object:
    """An answer as a value in normal form. Raises BadValue."""
    if one.names_records:
        raise BadValue("type", "A link's value is an expression: write = before it, such as =company.")
    return one.type.parse(answer, one.properties, PLAIN)


def _fills(way: Way) -> Iterator[Question]:
    filled = migrations.said(way.base, way.target)
    for one in newly_required(way.base, way.target):
        found = way.facts.finding(EMPTY_VALUES, one.path)
        if one.always and found and one.path not in filled:
            leave = Option(LEAVE, words("leave them empty; each is asked for when it is next saved"))
            yield Question(
                f"fill {one.path}", words('"{field}" is now required, and records have no value in it: what do they '
                                          "get?", field=one.path),
                (leave, *_values(way, one.field)), free=True, count=found.count, samples=found.samples,
                place=way.target.place("field", one.path), said="fill: VALUE (or fill: =EXPRESSION)", otherwise=LEAVE)


def _choices(way: Way) -> Iterator[Question]:
    for kind, name, value in choice_values.removed(way.base, way.target):
        found = way.facts.finding(HOLDS, f"{name}.{value}")
        if found:
            yield choice_question(way, kind, name, value, found)


def choice_question(way: Way, kind: str, name: str, value: str, found: Finding) -> Question:
    """What records get that hold a value of choices, or a state, which is gone."""
    body = way.target.definitions[kind, name].get(choice_values.VALUES[kind]) or {}
    keep = Option(KEEP, words("keep it, as a value that cannot be chosen any more"))
    return Question(
        f"choices {name}.{value}", words('"{value}" of {name} is gone, and records hold it: what do they get '
                                         "instead?", value=value, name=name),
        (keep, *(Option(one, words('"{value}" instead', value=one)) for one in body)), count=found.count,
        samples=found.samples, place=way.target.place(kind, name),
        said=f"was: {value} on the value that takes its place (or retired: true on this one)", otherwise=KEEP)


def _conversions(way: Way) -> Iterator[Question]:
    for (what, path), found in sorted(way.facts.findings.items()):
        table, _, name = path.partition(".")
        one = way.target.model.field(table, name) if what == UNCONVERTIBLE and way.target.model is not None else None
        if one is not None and found and one.written.get("fill") is None:
            empty = Option(EMPTY, words("leave them empty; the old values are kept out of sight"))
            said = words('"{field}" gets another type, and values of records mean nothing in it: what do they get?',
                         field=path) if found.count else \
                words('"{field}" gets another type. There was time for a part of the records only, and all of these '
                      "have a meaning in it: what do others get that have none?", field=path)
            yield Question(
                f"convert {path}", said,
                (empty, *_values(way, one)), free=True, expression=False, count=found.count,
                samples=found.samples, place=way.target.place("field", path),
                said="fill: VALUE (or fill: =EXPRESSION)", otherwise=EMPTY)


def _values(way: Way, one: Field) -> Iterable[Option]:
    """The values of choices, which are few enough to be offered."""
    of = getattr(one.properties, "of", None)
    choices = way.target.model.choices.get(of) if way.target.model is not None and isinstance(of, str) else None
    names = list(choices.values) if choices is not None and one.type.name == "choice" else []
    return (Option(name, words('"{value}" for all', value=name)) for name in names[:MOST_OPTIONS])
