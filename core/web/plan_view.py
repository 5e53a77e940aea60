"""A plan as its page shows it: changes by definition as sentences, before and after, and what each step does."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Generic, TypeVar, cast

from core.bm.engine.steps import KINDS as STEP_KINDS
from core.bm.engine.steps import RISKS, Kind, Plan, Step
from core.bm.planning.describe import DETAILED, needs_thought
from core.bm.versions.diff import (
    ABSENT,
    Added,
    Change,
    Changed,
    Removed,
    Renamed,
    Returned,
    called,
)
from core.bm.versions.naming import CALLED, HOLDERS, KINDS, MEMBERS
from core.definition.model import Model
from core.errors import N_, Words, words
from core.web.context import Context
from core.web.i18n import Text

One = TypeVar("One")
LONGEST = 300                   # characters of a value
MOST_LINES = 12                 # of a text that changed
OWNERS = {word: (holder, collection) for holder, words_of in MEMBERS.items() for collection, word in words_of.items()}
# Where a reviewer looks for what: the kinds of definitions by area; what is in none stands at the end.
AREAS: Mapping[str, tuple[str, ...]] = {
    N_("What records hold"): ("table", "mixin", "choices", "workflow", "sequence", "function"),
    N_("Who may do what"): ("role", "restrict"),
    N_("Records that are shipped"): ("data",),
    N_("Pages"): ("form", "list", "object", "menu", "query", "chart", "dashboard", "report", "template"),
}
OTHER = N_("Texts and settings")
ASKS_FIRST = N_("asks first")
HOLD_VALUES = ("table", "field", "choice", "state")
RISKY = ("long", "lossy", "rewrite")
NO_MARKS: Mapping[str, Sequence[str]] = {}
MOST_SHOWN = 4                  # properties of one change; more are folded
# What each kind of step does, for people who have not read the manual.
MEANING: Mapping[str, str] = {
    "stage": N_("The new definitions are written down. Nothing uses them yet."),
    "expand": N_("New columns and tables are added, empty. Nobody sees them yet."),
    "fill": N_("New columns get their values, in small batches, while people work."),
    "index": N_("An index is built beside the people who work."),
    "suspend": N_("Formulas that change are worked out when they are read, until they are stored again."),
    "prepare": N_("Every process builds the new version beside the old one. If one cannot, nothing changes."),
    "loosen": N_("What the new version does not demand any more is let go."),
    "flip": N_("The new version is live, for every request that begins after it."),
    "acknowledge": N_("The last requests on the old version end."),
    "settle": N_("What they still wrote is taken along."),
    "seed": N_("Records that the definitions bring are added. What people changed stays."),
    "compute": N_("Stored formulas are worked out in all records."),
    "validate": N_("Links of old records are checked."),
    "tighten": N_("What is required now holds in the database too."),
    "park": N_("What was removed is parked, with its values."),
    "purge": N_("What was parked is removed for good."),
    "mend": N_("What drifted is as live wants it again."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One property of a change; `before` and `after` are None where there is none."""

    path: str
    before: str | None = None
    after: str | None = None
    text: tuple[str, ...] = ()           # lines that went and came, of a long text


@dataclass(frozen=True, slots=True)
class Item:
    """One change as a sentence."""

    sort: str                            # added, changed, removed
    sign: str
    says: str
    title: str = ""                      # what people call the thing
    place: str = ""                      # file:line
    lines: tuple[Line, ...] = ()
    marks: tuple[str, ...] = ()          # why to look twice: values are hidden, it takes long, it is asked about

    @property
    def folded(self) -> bool:
        """Whether its lines are too many to be read before the next change."""
        return len(self.lines) > MOST_SHOWN and not self.short

    @property
    def short(self) -> bool:
        """Whether its lines are the properties of something new, which need no lines of their own."""
        return self.sort == "added"


@dataclass(frozen=True, slots=True)
class Group:
    """All changes of one definition."""

    kind: str
    name: str
    title: str
    area: str
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Area:
    """The definitions that change in one area, and how much of it is new, changes and goes."""

    title: str
    groups: list[Group]

    def count(self, sort: str) -> int:
        """How many changes are of a sort: added, changed, removed."""
        return sum(item.sort == sort for group in self.groups for item in group.items)


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of a plan as the page shows it."""

    number: int
    target: str
    note: str                            # what is done there
    risk: str
    risky: bool
    lock: str
    rows: int
    time: str
    sql: Sequence[str]


@dataclass(frozen=True, slots=True)
class Phase(Generic[One]):
    """Steps of one kind that follow each other, and what they do."""

    kind: str
    says: str
    steps: list[One]


def areas(changes: Sequence[Change], places: Mapping[str, str], base: Model | None, target: Model | None,
          text: Text, marks: Mapping[str, Sequence[str]] = NO_MARKS) -> list[Area]:
    """The changes by area and definition; `places` are file:line:column by kind and name, `marks` by the same."""
    found = _groups(changes, places, base, target, text, marks)
    return [Area(text(area), there) for area in (*AREAS, OTHER)
            if (there := [group for group in found if group.area == area])]


def marks(plan: Plan, text: Text) -> dict[str, list[str]]:
    """Why to look twice at a change, by its kind and name: what its steps risk, and that it is asked about."""
    found: dict[str, dict[str, None]] = {}
    for change in plan.changes:
        said = found.setdefault(f"{change.kind} {change.name}", {})
        if change.kind in HOLD_VALUES and any(one.key.partition(" ")[2] == change.name for one in plan.asked):
            said[text(ASKS_FIRST)] = None
        built = change.kind in ("index", "unique")
        for step in plan.steps:
            if step.risk in RISKY and step.target == change.name and built is (step.kind == "index"):
                said[text(RISKS[step.risk])] = None
    return {name: list(said) for name, said in found.items()}


def _groups(changes: Sequence[Change], places: Mapping[str, str], base: Model | None, target: Model | None,
            text: Text, marks: Mapping[str, Sequence[str]]) -> list[Group]:
    """The changes by definition, in the order of the plan."""
    found: dict[tuple[str, str], Group] = {}
    for change in changes:
        kind, collection = OWNERS.get(change.kind, (HOLDERS.get(change.kind, change.kind), ""))
        owner, _, member = change.name.partition(".") if collection else (change.name, "", "")
        model = base if isinstance(change, Removed) else target
        path = f"{kind} {owner}.{collection}.{member}.title" if collection else f"{kind} {owner}.title"
        group = found.setdefault((kind, owner), Group(
            text(CALLED.get(kind, kind)), owner, _title(target, f"{kind} {owner}.title", text.language)
            or _title(base, f"{kind} {owner}.title", text.language),
            next((area for area, kinds in AREAS.items() if kind in kinds), OTHER)))
        place = places.get(f"{change.kind} {change.name}", "").rpartition(":")[0]
        title = _title(model, path, text.language) if collection else ""
        if not title and isinstance(change, Added) and isinstance(change.body.get("title"), str):
            title = change.body["title"]                # of a version that is not at hand
        group.items.append(Item(_sort(change), change.sign, text.of(_says(change, member or owner)), title, place,
                                tuple(_lines(change)), tuple(marks.get(f"{change.kind} {change.name}", ()))))
    return list(found.values())


def _title(model: Model | None, path: str, language: str) -> str:
    from core.definition.texts import written_text
    if model is None or written_text(model, path) is None:
        return ""
    return model.text(path, language)


def _sort(change: Change) -> str:
    return {"+": "added", "-": "removed"}.get(change.sign, "changed")


def _says(change: Change, name: str) -> Words:
    """The sentence; of a definition itself, whose name stands above, it is "It is new"."""
    if change.kind in HOLDERS and change.kind not in (*OWNERS, *KINDS):
        return words("The order changes")
    what = called(change.kind, name) if change.kind in OWNERS else words("It")
    match change:
        case Returned():
            return words("{what} returns with the values it had", what=what)
        case Added():
            return words("{what} is new", what=what)
        case Removed():
            return words("{what} is removed", what=what)
        case Renamed():
            was = called(change.kind, change.was.rpartition(".")[2])
            return words("{what} is renamed {name}", what=was, name=change.name.rpartition(".")[2])
    return words("{what} changes", what=what)


def _lines(change: Change) -> Iterator[Line]:
    if isinstance(change, Added) and change.kind in DETAILED:
        for key, value in change.body.items():
            if key != "title" and not isinstance(value, Mapping | list):
                yield Line(key, None, _value(value))
    if isinstance(change, Changed):
        for one in change.properties:
            before, after = one.before, one.after
            if isinstance(before, str) and isinstance(after, str) and "\n" in before and "\n" in after:
                yield Line(one.path, text=tuple(_differing(before, after)))
            else:
                yield Line(one.path, None if before == ABSENT else _value(before),
                           None if after == ABSENT else _value(after))


def _differing(before: str, after: str) -> Iterator[str]:
    changed = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]
    yield from changed[:MOST_LINES]
    if len(changed) > MOST_LINES:
        yield "…"


def _value(value: Any) -> str:
    if isinstance(value, Mapping) and {*value} >= {"tag", "attributes"}:
        return f"<{value['tag']}{''.join(f' {key}={json.dumps(one)}' for key, one in value['attributes'].items())}>"
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return written if len(written) <= LONGEST else written[:LONGEST - 1] + "…"


def phases(steps: Iterable[tuple[str, One]], text: Text) -> list[Phase[One]]:
    """Steps, each with its kind, as phases."""
    return [Phase(text(STEP_KINDS[cast("Kind", kind)]) if kind in STEP_KINDS else kind, text(MEANING.get(kind, "")),
                  [step for _, step in of_kind]) for kind, of_kind in groupby(steps, key=lambda pair: pair[0])]


def stages(steps: Iterable[Step], text: Text) -> list[Phase[Stage]]:
    """The steps of a plan."""
    return phases(((step.kind, Stage(
        step.number, about(step.target, text), text.of(step.note), text(RISKS[step.risk]),
        step.risk in RISKY, step.lock, step.rows,
        span(step.seconds, text) if step.seconds >= 1 else "", step.sql)) for step in steps), text)


def about(target: str, text: Text) -> str:
    """What a step is about, where that is no name of a definition."""
    what, _, name = target.partition(" ")
    if what == "version":
        return text("version {version}", version=name)
    if what == "data":
        return f"{text(CALLED[what])} {name}"
    return text("all processes") if target == "workers" else target


def span(seconds: float, text: Text) -> str:
    """A length of time as people say it: two units at most."""
    if seconds < 1:
        return text("{milliseconds} ms", milliseconds=round(seconds * 1000))
    if seconds < 10:
        return text("{seconds} s", seconds=f"{seconds:.1f}")
    whole = round(seconds)
    if whole < 60:
        return text("{seconds} s", seconds=whole)
    if whole < 3600:
        return text("{minutes} min {seconds} s", minutes=whole // 60, seconds=whole % 60)
    return text("{hours} h {minutes} min", hours=whole // 3600, minutes=whole % 3600 // 60)


@dataclass(frozen=True, slots=True)
class Summary:
    """A plan in numbers: what a reviewer wants to know before reading it."""

    added: int
    changed: int
    removed: int
    risk: str
    risky: bool
    steps: int
    time: str                            # "" where it takes less than a second


def summary(plan: Plan, text: Text) -> Summary:
    """The numbers of a plan."""
    sorts = [_sort(change) for change in plan.changes]
    seconds = sum(step.seconds for step in plan.steps)
    return Summary(sorts.count("added"), sorts.count("changed"), sorts.count("removed"), text(RISKS[plan.risk]),
                   plan.risk in RISKY, len(plan.steps), span(seconds, text) if seconds >= 1 else "")


def letters(plan: Plan) -> str:
    """What has to be typed to consent where "yes" is too little: the first letters of the plan's hash."""
    return plan.hash[:6] if needs_thought(plan) else ""


def said(context: Context, lines: Sequence[Words]) -> list[str]:
    """Sentences in the reader's language, each once."""
    return list(dict.fromkeys(context.text.of(line) for line in lines))
