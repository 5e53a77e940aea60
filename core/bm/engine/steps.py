"""A step of a plan and the plan itself: values that say all that will happen, and are the same bytes each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

from core.bm.inputs.questions import Question
from core.bm.versions.canonical import canonical, digest
from core.bm.versions.diff import Change
from core.errors import N_, Words

Kind = Literal["stage", "set", "expand", "fill", "index", "suspend", "prepare", "loosen", "flip", "acknowledge",
               "settle", "seed", "compute", "validate", "tighten", "park", "purge", "mend"]
Risk = Literal["metadata", "additive", "long", "lossy", "rewrite"]
KINDS: Mapping[Kind, str] = {               # in the order in which they are done
    "stage": N_("stage"), "set": N_("set"), "expand": N_("expand"), "fill": N_("fill"),
    "index": N_("index"), "suspend": N_("suspend"),
    "prepare": N_("prepare"), "loosen": N_("loosen"), "flip": N_("flip"), "acknowledge": N_("acknowledge"),
    "settle": N_("settle"), "seed": N_("seed"), "compute": N_("compute"), "validate": N_("validate"),
    "tighten": N_("tighten"), "park": N_("park"), "purge": N_("purge"),
    "mend": N_("mend")}
RISKS: Mapping[Risk, str] = {
    "metadata": N_("metadata"), "additive": N_("additive"), "long": N_("long"), "lossy": N_("lossy"),
    "rewrite": N_("rewrite")}
# What a step keeps others from meanwhile, as `lock` of a step says it.
BRIEF = N_("ACCESS EXCLUSIVE, milliseconds")
BOTH = N_("SHARE ROW EXCLUSIVE on both tables, milliseconds")
WRITERS = N_("SHARE ROW EXCLUSIVE, milliseconds")
ONLINE = N_("SHARE UPDATE EXCLUSIVE: readers and writers go on")
BATCHES = N_("of 1,000 records, for a moment")
LONG_ROWS = 1_000_000           # from here on a step that reads a whole table is called long
FORMAT = 1
# What users and statistics move between plan and apply; the rest of a plan is what was approved.
MOVING = ("rows", "seconds", "note")
TOLD = ("notes", "questions", "way_back", "warnings", "places")


def risk_of(rows: int) -> Risk:
    """The risk of a step that reads a whole table beside those who work."""
    return "long" if rows > LONG_ROWS else "additive"


@dataclass(frozen=True, slots=True)
class Probe:
    """What tells that a step is done: columns, an index or a constraint that is there, or one that is gone."""

    what: Literal["columns", "index", "constraint", "gone"]
    table: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that apply does; `sql` is run as it stands here."""

    number: int
    kind: Kind
    target: str
    sql: tuple[str, ...] = ()
    lock: str = ""
    risk: Risk = "metadata"
    rows: int = 0
    seconds: float = 0.0
    probe: Probe | None = None
    undo: tuple[str, ...] = ()
    note: Words | str = ""
    identities: tuple[int, ...] = ()         # the storage ids whose rows of sys.physical it writes
    data: Mapping[str, Any] = field(default_factory=dict, hash=False)   # JSON: how it is done, where SQL is not all


@dataclass(frozen=True)
class Plan:
    """The way from one version to another; empty when there is nothing to do, refused when it has problems."""

    base: str
    target: str
    fingerprint: str
    changes: tuple[Change, ...] = ()
    steps: tuple[Step, ...] = ()
    problems: tuple[Words, ...] = ()         # file:line:column: why a change cannot be promoted
    notes: tuple[Words, ...] = ()            # what a person should know before saying yes
    back: bool = False                       # a rollback
    after: int = 0                           # the last promotion that was made when it was planned: another voids it
    questions: tuple[Question, ...] = ()     # what nobody answered; as long as there are any, there are no steps
    asked: tuple[Question, ...] = ()         # all that was asked, answered or not; forms show it again
    answers: Mapping[str, str] = field(default_factory=dict, hash=False)    # by the key of the question
    way_back: tuple[Words, ...] = ()         # until when it can be taken back, and at what price
    warnings: tuple[Words, ...] = ()         # what is told first: wider rights, values that go out of sight
    places: Mapping[str, str] = field(default_factory=dict, hash=False)     # "table company" -> file:line:column

    @property
    def empty(self) -> bool:
        """True when live is the target already."""
        return not self.changes and not self.steps and not self.problems and not self.questions

    @property
    def risk(self) -> Risk:
        """The highest risk of any step."""
        order: tuple[Risk, ...] = ("metadata", "additive", "long", "lossy", "rewrite")
        return max((step.risk for step in self.steps), key=order.index, default="metadata")

    @cached_property
    def hash(self) -> str:
        """Stands for what is done; numbers that users move meanwhile do not count."""
        body = self.as_json()
        body["steps"] = [{key: value for key, value in step.items() if key not in MOVING} for step in body["steps"]]
        return digest(canonical({key: value for key, value in body.items() if key not in TOLD}))

    def as_json(self) -> dict[str, Any]:
        """The plan for machines; `canonical` of it is the same bytes for the same input."""
        return {"format": FORMAT, "base": self.base, "target": self.target, "fingerprint": self.fingerprint,
                "back": self.back, "after": self.after, "risk": self.risk,
                "changes": [_change_json(change) for change in self.changes],
                "steps": [{**asdict(step), "note": str(step.note)} for step in self.steps],
                "answers": dict(self.answers),
                "questions": [question.as_json() for question in self.questions], "places": dict(self.places),
                **{name: [str(one) for one in said] for name, said in (
                    ("problems", self.problems), ("notes", self.notes), ("way_back", self.way_back),
                    ("warnings", self.warnings))}}


def _change_json(change: Change) -> dict[str, Any]:
    return {"change": type(change).__name__.lower(), **asdict(change)}


def step_from_json(body: Mapping[str, Any]) -> Step:
    """Read back a step as a journal keeps it."""
    probe = body["probe"]
    return Step(number=body["number"], kind=body["kind"], target=body["target"], sql=tuple(body["sql"]),
                lock=body["lock"], risk=body["risk"], rows=body["rows"], seconds=body["seconds"],
                probe=Probe(probe["what"], probe["table"], tuple(probe["names"])) if probe else None,
                undo=tuple(body["undo"]), note=body["note"], identities=tuple(body["identities"]),
                data=body.get("data", {}))
