"""Rules of a record that speak of its lines hold as well when a line is written by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.ed import verify
from core.ed.formulas import stored
from core.ed.lock import lock
from core.ed.prepare import by_kind
from core.ed.shape import Shape, shape
from core.ed.values import Problems, Row

if TYPE_CHECKING:
    from core.definition.model import Table
    from core.ed.batch import Batch
    from core.ed.session import Session
    from core.ed.system import System


@dataclass
class Around:
    """The records whose lines a batch writes without them: by table, the line's row by the record's id."""

    found: dict[str, dict[int, Row]] = field(default_factory=dict)

    def hold(self, batch: Batch) -> None:
        """Find and lock them, so that lines written at the same time are counted one after the other."""
        written = {row.id for group in batch.changes for row in group.rows}
        for group in (*batch.changes, *batch.inserts):
            if group.by is None:
                for row in group.rows:
                    self._add(batch, group.shape, row, written)
        for removal in batch.removals:
            for record in removal.records:
                self._add(batch, removal.shape, Row(0, {}, id=record.id, old=record.values), written)
        for table, rows in self.found.items():
            for kind, some in _kinds(batch.session, table, rows).items():
                lock(batch.session, kind, sorted(row.id or 0 for row in some))

    def verify(self, batch: Batch) -> None:
        """Check their rules; what fails is a problem of the line that was written."""
        for table, rows in self.found.items():
            for kind, some in _kinds(batch.session, table, rows).items():
                found = Problems()
                verify.after(batch.session, shape(batch.session.system, kind), some, found, created=False)
                for problem in found.found:
                    batch.problems.add(Row(problem.row or 0, {}), "", problem.code, problem.message, **problem.params)

    def _add(self, batch: Batch, shaped: Shape, row: Row, written: set[int | None]) -> None:
        for table, link in watchers(batch.session.system, shaped.table.name):
            for id_ in (row.now(link), (row.old or {}).get(link)):
                if id_ is not None and id_ not in written:
                    self.found.setdefault(table, {}).setdefault(id_, Row(row.index, {}, id=id_))


def verify_changed(batch: Batch, done: Collection[str]) -> None:
    """Check the rules that speak of stored formulas, where these changed though the record itself was not written.

    `done` are the tables whose records around were verified already.
    """
    written = {entry.record_id for entry in batch.entries}
    for table, blamed in batch.holding.changed.items():
        shaped = shape(batch.session.system, table)
        ids = {id_: index for id_, index in blamed.items() if id_ not in written}
        if not ids or table in done or not _read(shaped.table) & {one.name for one in stored(shaped.table)}:
            continue
        found = Problems()
        verify.after(batch.session, shaped, [Row(index, {}, id=id_) for id_, index in ids.items()], found,
                     created=False)
        for problem in found.found:
            batch.problems.add(Row(problem.row or 0, {}), "", problem.code, problem.message, **problem.params)


def watchers(system: System, line: str) -> tuple[tuple[str, str], ...]:
    """The tables with rules about such lines, each with the link that leads there."""
    def find() -> tuple[tuple[str, str], ...]:
        found = []
        for table in system.model.tables.values():
            for name, lines in table.lines.items():
                if system.model.names.is_kind_of(line, lines.target or "") and name in _read(table):
                    found.append((table.name, str(getattr(lines.properties, "by", ""))))
        return tuple(dict.fromkeys(found))
    return system.cache.get(("watchers", line), find)


def _read(table: Table) -> set[str]:
    """The fields that the rules and the conditional `required` of a table begin with, formulas followed."""
    waiting = [rule.check for rule in table.rules.values() if not rule.at]
    waiting += [f.required for f in table.fields.values() if not isinstance(f.required, bool)]
    names: set[str] = set()
    while waiting:
        for path in waiting.pop().reads:
            if path and path[0] not in names:
                names.add(path[0])
                formula = table.fields[path[0]].formula if path[0] in table.fields else None
                if formula is not None:
                    waiting.append(formula)
    return names


def _kinds(session: Session, table: str, rows: Mapping[int, Row]) -> Mapping[str, list[Row]]:
    shaped = shape(session.system, table)
    return by_kind(session, shaped, list(rows.values())) if shaped.table.kinds else {table: list(rows.values())}
