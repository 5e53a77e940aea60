"""Filtering by links through a table between: the records that are linked with one of some, or with none."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, ColumnElement, literal, not_
from sqlalchemy.dialects.postgresql import ARRAY

from core.ed.paths import end_of
from core.ed.statement import parameter
from core.errors import BadRequest

if TYPE_CHECKING:
    from core.ed.columns import Path, RecordColumns
    from core.ed.session import Session

Made = tuple[Hashable, Callable[["RecordColumns"], ColumnElement[bool]]]
MOST_VALUES = 1000


def passes_through(session: Session, table: str, path: Path) -> bool:
    """Whether a path that the user may read ends at links through a table between."""
    around = end_of(session.system.model, table, ".".join(path[:-1])) if len(path) > 1 else table
    field = session.system.model.field(around, path[-1])
    return field is not None and field.type.is_through


def by_links(number: int, path: Path, value: object, parameters: dict[str, object]) -> Made:
    """The condition that a record has such links to one of some ids; None asks for those that have none.

    Raises BadRequest for what is no id.
    """
    name = ".".join(path)
    if value is None:
        return ("no links", name), lambda columns: not_(columns.related(path).select(literal(1)).exists())
    ids = value if isinstance(value, (list, tuple)) else [value]
    if any(isinstance(one, bool) or not isinstance(one, int) or not 0 < one < 2**63 for one in ids):
        raise BadRequest('"{name}" is filtered by the id of a record.', "filters", name=name)
    if len(ids) > MOST_VALUES:
        raise BadRequest("At most {most} values can be asked for.", "filters", most=MOST_VALUES)
    given = f"filter_{number}"
    parameters[given] = list(ids)

    def make(columns: RecordColumns) -> ColumnElement[bool]:
        linked = columns.related(path)
        wanted = linked.columns.root.id == parameter(given, type_=ARRAY(BigInteger)).any_()
        return linked.select(literal(1), wanted).exists()
    return ("links", name, number), make
