"""Values worked out of records as the version before has them: one select for a batch of ids, in normal form.

A part of a fill says all that is needed, so that any process can go on with it: beside what filling.py wants,
`{"again": only what is empty, "fills": [{"table", "before", "keeps", "pieces": [{"value" or "source", "where"}]}]}`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Integer, any_, case, literal, select

from core.bm.changes.fill_converted import with_base
from core.bm.changes.filling import Part, Row, Versions
from core.bm.changes.migrations import Fill, Piece, Version, field_of, fills, other_type, typed
from core.bm.changes.read_paths import Reading, columns
from core.bm.changes.required import EMPTY
from core.bm.changes.retyping import table_of
from core.bm.inputs.facts import SAMPLES, SECONDS, Finding, Sample, counted, in_time
from core.bm.versions import live
from core.bm.versions.homes import former_field, home, moving
from core.bm.versions.tables import IDS
from core.database import ddl
from core.definition.migrations import Past
from core.ed.columns import RecordColumns
from core.ed.schema import name_all
from core.ed.session import Session
from core.errors import Refused, Words, words
from core.expression import ExpressionError
from core.types.base import BadValue
from core.types.numbers import rounded

if TYPE_CHECKING:
    from core.bm.inputs.way import Way
    from core.definition.model import Field
    from core.ed.system import System

UNFIT = "unfit"                 # the finding: values that the field does not take
NOTHING_GIVEN = "nothing given"     # the finding: records for which it comes to nothing, though something is required
SLOW = "slow"                   # the finding: a batch took longer than there is time for
ROWS = 1_000                    # looked at, at once
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
    """Fills of one physical table, typed once and worked out for batches of its records."""

    def __init__(self, base: System, target: Version, fills: Sequence[Fill]) -> None:
        self.system = base
        self.target = target
        self.fills = tuple(fills)
        self.typed = {one: [typed(base, target, one, piece) for piece in one.pieces] for one in self.fills}

    @property
    def reads(self) -> tuple[tuple[str, ...], ...]:
        """The paths that values and conditions read."""
        return tuple({path for pieces in self.typed.values() for pair in pieces for one in pair if one is not None
                      for path in one.reads})

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


def normal(target: Version, one: Field, value: Any) -> Any:
    """A value that was worked out, as the field takes it: with its decimals, of its choices. Raises BadValue."""
    scale = getattr(one.properties, "scale", None)
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        if scale is not None:
            value = rounded(Decimal(value), scale)
        elif one.expression_type.name == "integer" and value == int(value):
            value = int(value)
    value = one.type.validate(value, one.properties)
    model = target.model
    if one.expression_type.name == "choice" and model is not None and value is not None:
        choices = model.choices.get(one.expression_type.of or "")
        for name in value if isinstance(value, list | tuple) else (value,):
            if choices is not None and not choices.open_in_live and name not in choices.values:
                raise BadValue("choice", "{value} is not one of the choices.", value=name)
    return value


class Expressed:
    """The source `expression` of a field's new columns."""

    def __init__(self, part: Part, versions: Versions) -> None:
        self.part, self.versions = part, versions
        self._expressions: Expressions | None = None

    def values(self, connection: Connection, rows: Sequence[Row]) -> Mapping[int, Sequence[Any]]:
        """What each record gets; before the flip a value that the field does not take is Refused."""
        base = self.versions.system(connection, self.versions.base or 0)
        target = self.versions.system(connection, self.versions.target or 0)
        if self._expressions is None:
            self._expressions = Expressions(base, target, from_json(target, self.part))
        into = [name for name, _ in self.part["into"]]
        ids = [row["id"] for row in rows if not self.part["again"] or all(row[name] is None for name in into)]
        worked = self._expressions.values(Session.system_session(base, connection), ids)
        if worked.unfit and live.current(connection)[0] == self.versions.base:
            raise Refused("{problem}; nothing was changed", problem=str(worked.unfit[0]))
        one = field_of(target, self._expressions.fills[0])
        found = {id_: one.type.to_columns(values[self.part["path"]], one.properties)
                 for id_, values in worked.values.items()}
        return with_base(connection, target, self.part["path"], found) if one.type.name == "money" and found else found


# In the plan

def look(connection: Connection, way: Way, system: System) -> dict[tuple[str, str], Finding]:
    """The values that fields would not take, counted: of all records, or of as many as there is time for."""
    found: dict[tuple[str, str], Finding] = {}
    end = time.monotonic() + SECONDS
    for path, some in _all(way):
        try:
            expressions = Expressions(system, way.target, some)
        except ExpressionError:
            continue                            # that is told
        tried = in_time(connection, partial(_try, connection, system, expressions, end))
        if tried is None:
            found[SLOW, path] = Finding(ROWS)
        for what, finding in zip((UNFIT, NOTHING_GIVEN), tried or (), strict=False):
            if finding:
                found[what, path] = finding.and_also(found.get((what, path)))
    return found


def _try(connection: Connection, system: System, expressions: Expressions, end: float) -> tuple[Finding, Finding]:
    """What a field does not take, and for how many records it comes to nothing where something is required."""
    source = system.stored(expressions.fills[0].before).table
    session = Session.system_session(system, connection)
    required = field_of(expressions.target, expressions.fills[0]).required is True
    unfit: list[Unfit] = []
    after = nothing = 0
    while True:
        ids = list(connection.scalars(select(source.c.id).where(source.c.id > after).order_by(source.c.id).limit(ROWS)))
        worked = expressions.values(session, ids) if ids else Worked({})
        unfit += worked.unfit
        nothing += sum(value is None for row in worked.values.values() for value in row.values()) if required else 0
        if len(ids) < ROWS or time.monotonic() > end:
            samples = tuple(Sample(one.record, f"{one.value}: {one.problem}", expressions.fills[0].before,
                                   expressions.reads) for one in unfit[:SAMPLES])
            more = len(ids) == ROWS
            return Finding(len(unfit), samples, partial=more and bool(unfit)), Finding(nothing)
        after = ids[-1]


def problems(way: Way) -> Iterator[Words]:
    """Values that fields would not take, with the way out."""
    for path in dict.fromkeys(path for path, _ in _all(way)):
        if way.facts.finding(SLOW, path):
            yield way.problem("field", path, words(
                "{field}: to work out what {count} records get takes longer than {seconds} s; make the expression "
                "simpler", field=path, count=ROWS, seconds=round(SECONDS)))
        finding = way.facts.finding(UNFIT, path)
        if finding:
            yield way.problem("field", path, words(
                "{field} does not take what {records} would get; change the expression, or what it reads",
                field=path, records=counted(finding)))


def given(way: Way) -> Iterator[tuple[str, Part]]:
    """The physical table and the part of each field that gets values which records do not have yet."""
    for path, some in _in_place(way).items():
        table = table_of(way, path)
        if table in way.facts.columns:
            yield table, part(way, path, some)


def _all(way: Way) -> Iterator[tuple[str, list[Fill]]]:
    """The fills of each field, by the records that get them at once."""
    yield from _in_place(way).items()
    for was, table in moving(way.base, way.target):
        yield from along(way, was, table).items()


def _in_place(way: Way) -> dict[str, list[Fill]]:
    """The fills by field: of new ones, and of those whose values stand elsewhere from now on."""
    found: dict[str, list[Fill]] = {}
    for one in fills(way.base, way.target, way.answers):
        former = way.former(one.field)
        if home(way.base, one.before) != home(way.target, one.table):
            continue
        if former is None or way.base.storage(former) != way.target.storage(one.field):
            found.setdefault(one.field, list(_others(way, one))).append(one)
        elif one.keeps is None:                 # new to these records alone: the columns are there, unseen for them
            found.setdefault(one.field, []).append(replace(one, again=True))
    return found


def _others(way: Way, one: Fill) -> Iterator[Fill]:
    """What keeps the values of all records that have a field, where only some of them get others."""
    table, _, name = (way.former(one.field) or "").partition(".")
    before, _ = way.models
    old = before.field(table, name) if table else None
    if old is not None and not old.virtual and one.before != table and one.keeps is not None \
            and home(way.base, table) == home(way.base, one.before):
        yield Fill(one.field, one.field.partition(".")[0], table, (Piece(None, Past("False")),), old.name)


def along(way: Way, was: str, table: str) -> dict[str, list[Fill]]:
    """The fills by field for records of a table that go to another physical table: its own, and those said above it."""
    before, after = way.models
    again = way.back or (way.target.identities[table], home(way.target, table)) in way.facts.homes
    found: dict[str, list[Fill]] = {}
    for one in fills(way.base, way.target, way.answers):
        if after.names.is_kind_of(table, one.table) and before.names.is_kind_of(was, one.before) \
                and _changes(way, was, one):
            found.setdefault(one.field, []).append(replace(one, again=one.keeps is None and (again or one.again)))
    return found


def _changes(way: Way, was: str, one: Fill) -> bool:
    """Whether a fill gives a table's records anything: what they have in the field goes along by itself."""
    field = field_of(way.target, one)
    former = former_field(way.base, way.target, was, field)
    if former is None or former.virtual:
        return True
    return one.keeps is not None and (
        any(piece.kind == "migration" for piece in one.pieces) or other_type(way.base, way.target, field, former)
        or bool(way.facts.finding(EMPTY, f"{one.table}.{field.name}")))


def part(way: Way, path: str, some: Sequence[Fill]) -> Part:
    """How the columns of a field are filled, as JSON."""
    one, storage = field_of(way.target, some[0]), way.target.storage(path)
    names = name_all(way.models[1], way.target.identities, way.facts.physical, way.target.storages)
    reads = Reading(way.base, way.facts.physical)
    for fill in some:
        reads.add(fill, [one for piece in fill.pieces for one in typed(way.base, way.target, fill, piece)])
    return {"how": "expression", "path": path, "storage": storage, "inserted": True, "again": some[0].again,
            "into": columns(way.target, one, storage, names), "reads": list(reads.own.values()),
            "through": [[table, column, ddl.reached(hops)] for table, column, hops in reads.through],
            "fills": [_json(one, each) for each in some]}


def _json(one: Field, fill: Fill) -> dict[str, Any]:
    return {"table": fill.table, "before": fill.before, "keeps": fill.keeps,
            "pieces": [_piece_json(one, piece) for piece in fill.pieces]}


def _piece_json(one: Field, piece: Piece) -> dict[str, Any]:
    said = {"source": piece.value.source} if isinstance(piece.value, Past) else \
        {"value": one.type.to_wire(piece.value, one.properties)}
    return said if piece.where is None else {**said, "where": piece.where.source}


def from_json(target: Version, part: Part) -> tuple[Fill, ...]:
    """The fills of a part."""
    found = []
    for body in part["fills"]:
        bare = Fill(part["path"], body["table"], body["before"], (), body["keeps"], part["again"])
        one = field_of(target, bare)
        pieces = tuple(Piece(
            Past(said["source"]) if "source" in said else one.type.from_wire(said["value"], one.properties),
            Past(said["where"]) if "where" in said else None) for said in body["pieces"])
        found.append(replace(bare, pieces=pieces))
    return tuple(found)
