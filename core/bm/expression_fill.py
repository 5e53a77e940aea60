"""Values worked out of records as the version before has them: one select for a batch of ids, in normal form.

What a step of that kind has in `data` says all that is needed, so that any process can go on with it:
`{"how": "expression", "fills": [{"field", "table", "before", "keeps", "pieces": [{"value" or "source", "where"}]}]}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, Integer, any_, bindparam, case, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from core.bm.migrations import Fill, Piece, field_of, typed
from core.definition.migrations import Past
from core.ed.columns import RecordColumns
from core.ed.session import Session
from core.types.base import BadValue
from core.types.numbers import rounded

if TYPE_CHECKING:
    from core.bm.state import State
    from core.definition.model import Field, Model
    from core.ed.system import System

IDS = bindparam("ids", type_=ARRAY(BigInteger))
KEPT = -1                       # no piece holds: the record keeps what it has


@dataclass(frozen=True, slots=True)
class Unfit:
    """A value that its field does not take."""

    record: int
    field: str
    value: object
    problem: str

    def __str__(self) -> str:
        return f"{self.field} of record {self.record}: {self.value!r}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Worked:
    """What a batch of records gets: by record and field; `kept` are the fields that stay as they are."""

    values: Mapping[int, Mapping[str, Any]]
    unfit: tuple[Unfit, ...] = ()


class Expressions:
    """The fills of one table, typed once and worked out for batches of its records."""

    def __init__(self, system: System, base: State, target: State, fills: Sequence[Fill]) -> None:
        self.system = system
        self.target = target
        self.fills = tuple(fills)
        self.typed = {one: [typed(base, target, one, piece) for piece in one.pieces] for one in self.fills}

    def values(self, session: Session, ids: Iterable[int]) -> Worked:
        """The values of these records, in the normal form of their fields. One statement for each table."""
        wanted = sorted(ids)
        found: dict[int, dict[str, Any]] = {}
        unfit: list[Unfit] = []
        for before in dict.fromkeys(one.before for one in self.fills):
            fills = [one for one in self.fills if one.before == before]
            for row in self._rows(session, before, fills, wanted):
                for place, one in enumerate(fills):
                    which, worked, kept = row[1 + 3 * place:4 + 3 * place]
                    try:
                        value = kept if which == KEPT else self._value(one, which, worked)
                    except BadValue as error:
                        unfit.append(Unfit(row[0], one.field, worked, str(error)))
                        value = None
                    found.setdefault(row[0], {})[one.field] = value
        return Worked(found, tuple(unfit))

    def _rows(self, session: Session, before: str, fills: Sequence[Fill], ids: list[int]) -> Sequence[Any]:
        columns = RecordColumns(self.system, None, before)
        selected = [column for one in fills for column in self._columns(columns, one)]
        own = columns.root.stored.own_rows(columns.root.source)
        statement = select(columns.root.id, *selected).select_from(columns.source).where(
            columns.root.id == any_(IDS), *(() if own is None else (own,)))
        return session.connection.execute(statement, {**session.parameters, "ids": ids}).all()

    def _columns(self, columns: RecordColumns, one: Fill) -> tuple[ColumnElement[Any], ...]:
        """Which piece a record gets, the value if that is an expression, and what it has if none holds."""
        places: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = []
        values: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = []
        for place, (value, where) in enumerate(self.typed[one]):
            holds = where.where(columns) if where is not None else literal(True)
            places.append((holds, literal(place, Integer)))
            values.append((holds, value.sql(columns) if value is not None else literal(None)))
        kept = columns.value((one.keeps,)) if one.keeps is not None else literal(None)
        return case(*places, else_=literal(KEPT, Integer)), case(*values, else_=None), kept

    def _value(self, one: Fill, place: int, value: Any) -> Any:
        """The value of a record in normal form. Raises BadValue."""
        piece = one.pieces[place]
        return normal(self.target, field_of(self.target, one), value) if isinstance(piece.value, Past) else piece.value


def normal(target: State, one: Field, value: Any) -> Any:
    """A value that was worked out, as the field takes it: with its decimals, of its choices. Raises BadValue."""
    scale = getattr(one.properties, "scale", None)
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        if scale is not None:
            value = rounded(Decimal(value), scale)
        elif one.expression_type.name == "integer" and value == int(value):
            value = int(value)
    value = one.type.validate(value, one.properties)
    model: Model | None = target.model
    if one.expression_type.name == "choice" and model is not None and value is not None:
        choices = model.choices.get(one.expression_type.of or "")
        for name in value if isinstance(value, list | tuple) else (value,):
            if choices is not None and not choices.open_in_live and name not in choices.values:
                raise BadValue("choice", "{value} is not one of the choices.", value=name)
    return value


# As JSON, in a step

def as_json(target: State, fills: Iterable[Fill]) -> dict[str, Any]:
    """The fills as a step keeps them."""
    return {"how": "expression", "fills": [
        {"field": one.field, "table": one.table, "before": one.before, "keeps": one.keeps,
         "pieces": [_piece_json(field_of(target, one), piece) for piece in one.pieces]} for one in fills]}


def _piece_json(one: Field, piece: Piece) -> dict[str, Any]:
    said = {"source": piece.value.source} if isinstance(piece.value, Past) else \
        {"value": one.type.to_wire(piece.value, one.properties)}
    return said if piece.where is None else {**said, "where": piece.where.source}


def from_json(target: State, data: Mapping[str, Any]) -> tuple[Fill, ...]:
    """The fills of a step."""
    found = []
    for body in data["fills"]:
        bare = Fill(body["field"], body["table"], body["before"], (), body["keeps"])
        one = field_of(target, bare)
        pieces = tuple(Piece(
            Past(said["source"]) if "source" in said else one.type.from_wire(said["value"], one.properties),
            Past(said["where"]) if "where" in said else None) for said in body["pieces"])
        found.append(Fill(bare.field, bare.table, bare.before, pieces, bare.keeps))
    return tuple(found)
