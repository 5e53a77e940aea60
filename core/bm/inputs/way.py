"""What the planner looks at: both states, what differs, the facts, and what people answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.bm.inputs.facts import Facts
from core.bm.versions.diff import Change
from core.bm.versions.state import State
from core.errors import Words, words

if TYPE_CHECKING:
    from core.definition.model import Model


@dataclass(frozen=True)
class Way:
    """The way from one state to another, before it is a plan; both have their identities."""

    base: State
    target: State
    changes: tuple[Change, ...]
    facts: Facts
    back: bool = False                                          # a rollback: nothing is asked, and narrowing allowed
    answers: Mapping[str, str] = field(default_factory=dict)    # by the key of a question

    @property
    def models(self) -> tuple[Model, Model]:
        """What both states are made of. Raises ValueError for the empty state, which has none."""
        if self.base.model is None or self.target.model is None:
            raise ValueError("there is no model before the first promotion")
        return self.base.model, self.target.model

    def answer(self, word: str, name: str) -> str | None:
        """What was answered to `fill company.phone`; None if nothing was."""
        return self.answers.get(f"{word} {name}")

    def former(self, path: str) -> str | None:
        """The path that a table or field of the target has in the base; None if it is new."""
        return self.base.names.get(self.target.identities.get(path, 0))

    def problem(self, kind: str, name: str, problem: Words) -> Words:
        """A problem with the place of the definition before it."""
        place = self.target.place(kind, name)
        return words("{name}: {problem}", name=place, problem=problem) if place else problem
