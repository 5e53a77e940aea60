"""Values that name a table or a field, as they are written: there must be one, and the writer must see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.definition.stored import field_now, table_about, table_now
from core.ed.selection import check_path
from core.errors import BadRequest

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.session import Session
    from core.ed.shape import Shape
    from core.ed.values import Problems, Row


def check(session: Session, shaped: Shape, rows: Sequence[Row], problems: Problems) -> None:
    """Note names that mean nothing to the writer; former names become those of now."""
    for kept in shaped.naming:
        beside = str(getattr(kept.p, "table", ""))
        for row in rows:
            value = row.now(kept.field.name)
            if value is None or not {kept.field.name, beside} & row.values.keys():
                continue
            about = str(row.now(beside) or "") if beside else ""
            found = _table(session, kept.field, value) if kept.field.type.name == "table" else \
                _path(session, kept.field, value, about)
            if found is None:
                problems.add(row, kept.field.name, "unknown_name", "There is no {value} here that you may read.",
                             value=value)
            elif found != value:
                row.values[kept.field.name] = found


def _table(session: Session, field: Field, name: str) -> str | None:
    found = table_now(session.system.model, field, name)
    return found if found is not None and session.gate.may(found, "read") else None


def _path(session: Session, field: Field, path: str, about: str) -> str | None:
    table = table_about(session.system.model, field, about)
    if table is None or not session.gate.may(table, "read"):
        return None
    found = field_now(session.system.model, field, table, path)
    try:
        if found is not None:
            check_path(session.gate, table, found, at="")
    except BadRequest:                      # a field that one may not read is as unknown as none
        return None
    return found


def named_by(session: Session, field: Field, about: str = "") -> list[tuple[str, str]]:
    """What such a field may name, as far as the user may read it: names with their titles."""
    model, language, gate = session.system.model, session.language, session.gate
    if field.type.name == "table":
        return [(name, model.text(f"table {name}.title", language) or table.title)
                for name, table in model.tables.items()
                if table_now(model, field, name) == name and gate.may(name, "read")]
    of = table_about(model, field, about)
    if of is None or not gate.may(of, "read"):
        return []
    fields = model.tables[of].fields
    return [(name, model.text(f"{fields[name].path}.title", language) or fields[name].title)
            for name in gate.readable(of)]
