"""All that one call of the record service writes: gathered first, checked as a whole, then written in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.ed.journal import Entry
from core.ed.lock import Locked
from core.ed.scope import gated_scope, visible
from core.ed.shape import Shape
from core.ed.values import Problems, Reader, Row

if TYPE_CHECKING:
    from core.ed.session import Session
    from core.errors import FieldProblem


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one table that are written together; `by` is their link to the record they are lines of."""

    shape: Shape
    rows: Sequence[Row]
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Removal:
    """Records of one table that go to the trash."""

    shape: Shape
    records: Sequence[Locked]


@dataclass
class Holding:
    """The records around lines that a transaction holds, and those whose stored formulas turned out other."""

    held: dict[int, str] = field(default_factory=dict)                   # id -> its table
    changed: dict[str, dict[int, int]] = field(default_factory=dict)     # table -> id -> the row to blame


@dataclass
class Batch:
    """The work of one call; parents stand before their lines."""

    session: Session
    problems: Problems = field(default_factory=Problems)
    inserts: list[Group] = field(default_factory=list)
    changes: list[Group] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)         # what history will tell
    contents: list[bytes] = field(default_factory=list)        # files to be stored once all else is right
    warnings: list[FieldProblem] = field(default_factory=list)
    named: set[int | None] = field(default_factory=set)        # the records that are changed or removed
    unlocked: set[int] = field(default_factory=set)             # locked records that are open for this user
    holding: Holding = field(default_factory=Holding)
    adds: bool = False                                         # values are amounts to be added to what is there
    raises_epoch: bool = False
    moment: datetime = field(default_factory=lambda: datetime.now(UTC))        # shared by what is trashed together

    @property
    def reader(self) -> Reader:
        """What brings the values of this call's rows to normal form."""
        trusted = self.session.user.system or (self.session.how == "import" and self.session.user.all)
        gate = self.session.gate
        return Reader(self.session.system.model, self.problems, trusted, lambda table, name: visible(gate, table, name),
                      lambda table: gated_scope(gate, table))

    def note(self, shaped: Shape, id_: int, change: dict[str, list[Any]]) -> None:
        """Tell history what was done to a record."""
        self.entries.append(Entry(id_, shaped, change))
        self.raises_epoch = self.raises_epoch or shaped.table.epoch


class Written(list[int]):
    """The ids of the records that were written, in the order of the rows, and the warnings of their rules."""

    def __init__(self, ids: Sequence[int], warnings: Sequence[FieldProblem] = ()) -> None:
        super().__init__(ids)
        self.warnings = tuple(warnings)
