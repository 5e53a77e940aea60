"""A checked template with the plain values of a record: text comes out, and nothing that a value says is ever run.

Only the expressions of the template are evaluated, over mappings, texts, numbers and dates; no object of ours, no
method and no database is within their reach. Every value is escaped where the template is HTML, and what comes out,
and how many records loops go over, is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from markupsafe import escape

from core.definition.scope import Written
from core.definition.template import Choice, Literal, Loop, Node, Shown, bound
from core.definition.texts import text_paths
from core.errors import TesseraError
from core.expression import is_true

if TYPE_CHECKING:
    from core.definition.named import Template
    from core.expression import Environment

MOST_CHARACTERS = 1_000_000
MOST_RECORDS = 10_000            # that all loops together go over
LONGEST_SUBJECT = 500
PLAIN = (str, int, float, bool, Decimal, date, datetime, time, timedelta, type(None))
_BREAK = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")

# What a value looks like to the reader: numbers and dates in the reader's language, a linked record's title.
Show = Callable[[Written, object], str]


class TooLarge(TesseraError):
    """A template gives more than it may; the message says what."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What came out of a template."""

    subject: str
    body: str
    format: str


@dataclass(slots=True)
class _Left:
    """What rendering may still do."""

    characters: int = MOST_CHARACTERS
    records: int = MOST_RECORDS


def render(template: Template, record: Mapping[str, Any], environment: Environment, show: Show,
           subject: str | None = None, source: str | None = None) -> Rendered:
    """Put a record's values into a template; `subject` and `source` are its texts in the reader's language.

    The environment's variables hold its parameters, as `parameter.NAME`. Raises TooLarge, EvaluationError; TypeError
    if what is given is not plain.
    """
    _check_plain(record)
    _check_plain(environment.variables)
    nodes = template.body if source is None else bound(source, template.scope)
    shown = show if template.format == "text" else lambda written, value: str(escape(show(written, value)))
    parts = list(_render(nodes, record, environment, shown, _Left()))
    return Rendered(_subject(template, template.subject if subject is None else subject, record, environment, show),
                    "".join(parts), template.format)


def _subject(template: Template, text: str, record: Mapping[str, Any], environment: Environment, show: Show) -> str:
    """One line, whatever the values hold: a line break would end a header of a mail."""
    for path in dict.fromkeys(text_paths(text)):
        written = Written(path, template.scope)
        value = written.expression.evaluate(record, environment)
        text = text.replace("{" + path + "}", "" if value is None else show(written, value))
    return _BREAK.sub(" ", text).strip()[:LONGEST_SUBJECT]


def _render(nodes: tuple[Node, ...], record: Mapping[str, Any], environment: Environment, show: Show,
            left: _Left) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Literal):
            yield _bounded(node.text, left)
        elif isinstance(node, Shown) and node.written is not None:
            value = node.written.expression.evaluate(record, environment)
            yield _bounded("" if value is None else show(node.written, value), left)
        elif isinstance(node, Choice):
            chosen = next((one for one in node.branches if one.written is None or is_true(
                one.written.expression.evaluate(record, environment))), None)
            if chosen is not None:
                yield from _render(chosen.body, record, environment, show, left)
        elif isinstance(node, Loop):
            yield from _repeat(node, record, environment, show, left)


def _repeat(node: Loop, record: Mapping[str, Any], environment: Environment, show: Show, left: _Left) -> Iterator[str]:
    met = False
    for row in _rows(node, record, environment):
        left.records -= 1
        if left.records < 0:
            raise TooLarge(f"a template goes over at most {MOST_RECORDS} records")
        inner = replace(environment, variables={**environment.variables, node.name: row})
        if node.written is None or is_true(node.written.expression.evaluate(record, inner)):
            met = True
            yield from _render(node.body, record, inner, show, left)
    if not met:
        yield from _render(node.otherwise, record, environment, show, left)


def _rows(node: Loop, record: Mapping[str, Any], environment: Environment) -> list[Any]:
    """The records at the end of a loop's path; none where a link on the way is empty."""
    head, *rest = node.path.source.split(".")
    current: Any = record
    if head in environment.variables:
        current = environment.variables[head]
    elif head != "record":
        rest = [head, *rest]
    for name in rest:
        current = current.get(name) if isinstance(current, Mapping) else None
    return list(current) if isinstance(current, list | tuple) else []


def _bounded(text: str, left: _Left) -> str:
    left.characters -= len(text)
    if left.characters < 0:
        raise TooLarge(f"a template gives at most {MOST_CHARACTERS} characters")
    return text


def _check_plain(value: object) -> None:
    """Check that only mappings, lists and plain values are given. Raises TypeError."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one
        elif not isinstance(one, PLAIN):
            raise TypeError(f"a template sees plain values only, not {type(one).__name__}")
