"""Processes of the Model: workflows with their states and transitions, agents with their steps, scenarios."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as made
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from core.definition.scope import ModelScope, Written
from core.definition.tables import Field, use

if TYPE_CHECKING:
    from core.expression import Expression

PHASES = ("draft", "waiting", "open", "paused", "done", "void")
ENDED = frozenset({"done", "void"})         # phases that a record may stay in for good
UNITS = ("seconds", "minutes", "hours", "workhours", "days", "workdays", "weeks", "months", "years")
LONGEST_COUNT = 100_000
_DURATION = re.compile(r"([1-9][0-9]{0,5}) ([a-z]+)")

People = tuple[str, ...] | None             # record roles and security roles; () is nobody, None says nothing


@dataclass(frozen=True)
class Duration:
    """A time that passes: `3 workdays`; workdays and workhours count by a calendar."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count} {self.unit.removesuffix('s') if self.count == 1 else self.unit}"


def duration(text: str) -> Duration | None:
    """The duration that a text says, such as `10 seconds` or `1 workday`; None if it says none."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    unit = match[2] if match[2] in UNITS else match[2] + "s"
    return Duration(int(match[1]), unit) if unit in UNITS and int(match[1]) <= LONGEST_COUNT else None


def cron(line: str) -> str | None:
    """Why a text is no line of a timetable (minute hour day month weekday), or None if it is one."""
    parts = line.split()
    if len(parts) != len(_CRON):
        return f'"{line}" is no timetable: it is five parts, minute hour day month weekday, such as "0 8 * * 1-5"'
    for part, (what, least, most, words) in zip(parts, _CRON, strict=True):
        for one in part.split(","):
            if not _cron_part(one, least, most, words):
                return f'"{one}" is no {what}: write *, {least} to {most}, a range such as {least}-{most}, or */2'
    return None


_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CRON = (("minute", 0, 59, ()), ("hour", 0, 23, ()), ("day", 1, 31, ()), ("month", 1, 12, _MONTHS),
         ("weekday", 0, 7, _DAYS))


def _cron_part(part: str, least: int, most: int, words: tuple[str, ...]) -> bool:
    span, slash, step = part.partition("/")
    if slash and not (step.isdecimal() and step.isascii() and 0 < int(step) <= most):
        return False
    if span == "*":
        return True
    numbers = [_cron_number(one, least, words) for one in span.split("-")]
    return len(numbers) <= 2 and all(one is not None and least <= one <= most for one in numbers) \
        and numbers == sorted(numbers, key=lambda one: one or 0)


def _cron_number(text: str, least: int, words: tuple[str, ...]) -> int | None:
    if text in words:
        return words.index(text) + least
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= 2 else None


@dataclass(frozen=True)
class State:
    """One state of a workflow; code binds to its phase and result, never to its name."""

    name: str
    title: str
    phase: str
    result: str | None = None
    color: str | None = None
    edit: People = None                     # who may change the record in it; None: whom the grants allow
    fields: Mapping[str, People] = made(default_factory=dict)      # who may change these fields in it
    requires: tuple[str, ...] = ()
    retired: bool = False
    help: str = ""


@dataclass(frozen=True, eq=False)
class Page:
    """One page of a dialog."""

    name: str
    title: str
    fields: tuple[str, ...]
    help: str = ""
    written: Written | None = None

    @cached_property
    def if_(self) -> Expression | None:
        """Whether it is shown; None: always."""
        return self.written.expression if self.written else None


@dataclass(frozen=True)
class Ask:
    """A dialog: fields that no table stores, on pages, laid out by a form."""

    fields: Mapping[str, Field]
    pages: Mapping[str, Page] = made(default_factory=dict)
    form: str | None = None
    submit: str = ""


@dataclass(frozen=True, eq=False)
class Step:
    """One step of an agent, a transition or a scenario: one verb, and what is said beside it.

    `said` is the verb's schema as written. `parts` has what needs the Model, by dotted path in the step: expressions
    that are parsed on first use, dialogs. Texts and names are read from `said`.
    """

    name: str
    verb: str
    said: Any
    path: str                               # where its texts are found: "agent follow_up.do.show"
    scope: ModelScope                       # the names that its expressions and texts may use
    parts: Mapping[str, object] = made(default_factory=dict)
    steps: Mapping[str, Step] = made(default_factory=dict)         # of a block, a loop or a transaction
    otherwise: Mapping[str, Step] = made(default_factory=dict)     # of a block whose condition does not hold
    rescue: Mapping[str, Step] = made(default_factory=dict)        # what is done after an error
    user: str | None = None                 # of a scenario: who does it

    def part(self, path: str) -> object:
        """A part: an Expression, a dialog, or None."""
        return use(self.parts.get(path))

    def walk(self) -> Iterator[Step]:
        """This step and all inside it, in order."""
        yield self
        for inner in (self.steps, self.otherwise, self.rescue):
            for step in inner.values():
                yield from step.walk()


def every_step(steps: Mapping[str, Step]) -> Iterator[Step]:
    """All steps, those inside others too, in order."""
    for step in steps.values():
        yield from step.walk()


@dataclass(frozen=True, eq=False)
class Transition:
    """A way from some states to another, which people take or which happens by itself."""

    name: str
    title: str
    sources: tuple[str, ...]
    to: str
    who: People = None                      # None: whoever may change the record
    check: tuple[str, ...] = ()             # rules of the table
    ask: Ask | None = None
    steps: Mapping[str, Step] = made(default_factory=dict)
    undo: Duration | None = None
    confirm: str = ""
    message: str = ""
    icon: str | None = None
    color: str | None = None
    help: str = ""
    written: Mapping[str, Written] = made(default_factory=dict)    # if, auto

    @cached_property
    def if_(self) -> Expression | None:
        """Whether it is offered; None: always."""
        return cast("Expression | None", use(self.written.get("if")))

    @cached_property
    def auto(self) -> Expression | None:
        """When it happens by itself; None: never."""
        return cast("Expression | None", use(self.written.get("auto")))


@dataclass(frozen=True, eq=False)
class WorklistLine:
    """A line of the worklist: how many records in some states wait for somebody."""

    name: str
    title: str
    states: tuple[str, ...]
    people: People = None                   # None: whoever may take a transition out of the states
    written: Written | None = None

    @cached_property
    def where(self) -> Expression | None:
        """The records it counts; None: all in the states."""
        return self.written.expression if self.written else None


@dataclass(frozen=True, eq=False)
class Workflow:
    """The states of a table's records, and the ways between them."""

    name: str
    title: str
    of: str
    field: str
    start: str
    states: Mapping[str, State]
    transitions: Mapping[str, Transition] = made(default_factory=dict)
    worklist: Mapping[str, WorklistLine] = made(default_factory=dict)
    help: str = ""


@dataclass(frozen=True, eq=False)
class Trigger:
    """What starts an agent."""

    button: str | None = None               # the menu slot of a form
    schedule: str | None = None
    zone: str | None = None
    record: tuple[str, ...] = ()            # created, changed, deleted
    fields: tuple[str, ...] = ()            # of a changed record: only if one of these changed
    call: bool = False
    written: Written | None = None

    @cached_property
    def if_(self) -> Expression | None:
        """Whether what happened to the record starts it; None: always."""
        return self.written.expression if self.written else None


@dataclass(frozen=True, eq=False)
class Agent:
    """Steps that are done one after another: at a button, by the clock, when records change, or when called."""

    name: str
    title: str
    of: str | None
    when: Trigger
    steps: Mapping[str, Step]
    run_as: str = "user"
    who: People = None
    parameters: Mapping[str, Field] = made(default_factory=dict)
    confirm: str = ""
    icon: str | None = None
    color: str | None = None
    help: str = ""
    written: Written | None = None

    @cached_property
    def if_(self) -> Expression | None:
        """Whether it applies; None: always."""
        return self.written.expression if self.written else None


@dataclass(frozen=True, eq=False)
class Scenario:
    """A test of the model: records, what people do with them, and what must hold."""

    name: str
    title: str
    users: Mapping[str, tuple[str, ...]]    # their roles
    given: Mapping[str, Step]
    steps: Mapping[str, Step]
    expect: Mapping[str, Written]
    now: str | None = None                  # the moment at which it begins
    help: str = ""
