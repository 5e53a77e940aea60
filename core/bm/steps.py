"""A step of a plan and the plan itself: values that say all that will happen, and are the same bytes each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from core.bm.canonical import canonical, digest
from core.bm.diff import Change
from core.errors import N_, Words

Kind = Literal["stage", "expand", "index", "suspend", "prepare", "flip", "seed", "compute", "validate", "park"]
Risk = Literal["metadata", "additive", "long", "lossy", "rewrite"]
KINDS: Mapping[Kind, str] = {
    "stage": N_("stage"), "expand": N_("expand"), "index": N_("index"), "suspend": N_("suspend"),
    "prepare": N_("prepare"), "flip": N_("flip"), "seed": N_("seed"), "compute": N_("compute"),
    "validate": N_("validate"), "park": N_("park")}
RISKS: Mapping[Risk, str] = {
    "metadata": N_("metadata"), "additive": N_("additive"), "long": N_("long"), "lossy": N_("lossy"),
    "rewrite": N_("rewrite")}
FORMAT = 1
# What users and statistics move between plan and apply; the rest of a plan is what was approved.
MOVING = ("rows", "seconds", "note")


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
    note: str = ""
    identities: tuple[int, ...] = ()         # the members whose physical rows or state it writes


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

    @property
    def empty(self) -> bool:
        """True when live is the target already."""
        return not self.changes and not self.steps and not self.problems

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
        del body["notes"]
        return digest(canonical(body))

    def as_json(self) -> dict[str, Any]:
        """The plan for machines; `canonical` of it is the same bytes for the same input."""
        return {"format": FORMAT, "base": self.base, "target": self.target, "fingerprint": self.fingerprint,
                "back": self.back, "risk": self.risk, "changes": [_change_json(change) for change in self.changes],
                "steps": [asdict(step) for step in self.steps], "problems": [str(problem) for problem in self.problems],
                "notes": [str(note) for note in self.notes]}


def _change_json(change: Change) -> dict[str, Any]:
    return {"change": type(change).__name__.lower(), **asdict(change)}


def step_from_json(body: Mapping[str, Any]) -> Step:
    """Read back a step as a journal keeps it."""
    probe = body["probe"]
    return Step(number=body["number"], kind=body["kind"], target=body["target"], sql=tuple(body["sql"]),
                lock=body["lock"], risk=body["risk"], rows=body["rows"], seconds=body["seconds"],
                probe=Probe(probe["what"], probe["table"], tuple(probe["names"])) if probe else None,
                undo=tuple(body["undo"]), note=body["note"], identities=tuple(body["identities"]))
