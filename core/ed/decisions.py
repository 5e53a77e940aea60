"""What the gate decides for one set of roles, as a list: each table, each field, each use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from core.ed.access import RIGHTS, Gate, Predicate
from core.ed.scope import visible

Verdict = Literal["always", "some", "never"]


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision; `field` is "" for the record. `some`: it hangs on the record."""

    table: str
    field: str
    use: str
    verdict: Verdict


def decisions(gate: Gate, tables: Iterable[str] | None = None) -> Iterator[Decision]:
    """Every decision on every table (or some) and field.

    They are rights of records; of fields to read, to change, to set in a new one. All other uses (select, filter, sort,
    group, aggregate, search, export, expressions, history, links, titles) are reading: `read` decides them, and `peek`
    besides where a link or a look-up shows a record.
    """
    for name in gate.system.model.tables if tables is None else tables:
        table = gate.system.model.tables[name]
        source = gate.system.stored(name).table
        for right in RIGHTS:
            allowed = gate.may(name, right) and gate.predicate(name, right, source)
            yield Decision(name, "", right, _verdict(allowed))
        for field, definition in table.fields.items():
            yield Decision(name, field, "read", _verdict(
                visible(gate, name, field) and (definition.virtual or gate.mask(name, field, source))))
            if not definition.virtual:
                yield Decision(name, field, "change", _verdict(
                    not gate.hidden(name, field, "change") and gate.mask(name, field, source, "change")))
                yield Decision(name, field, "set", _verdict(gate.given(name, field, source)))


def _verdict(allowed: Predicate) -> Verdict:
    if isinstance(allowed, bool):
        return "always" if allowed else "never"
    return "some"
