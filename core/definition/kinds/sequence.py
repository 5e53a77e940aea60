"""The kind `sequence`: codes given out one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.schema import Line, Name, Names, Schema, Text
from core.definition.model import Field, Table
from core.definition.named import PARTS, Place, Sequence
from core.definition.names import nearest, suggestion
from core.definition.texts import humanised
from core.definition.values import BodyPath, Merged

LONGEST = 100
WIDEST = 18


class SequenceSchema(Schema):
    """Codes given out one after the other, to fields of type sequence that name it."""

    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    help: Text | None = Property(None, description="What it numbers.")
    format: Line = Property("{number}", description="What a code looks like: {number}, {number:5} with at least five "
                            "digits, {year}, {month}, and the field of `per` or a field behind it, such as "
                            "{organisation.name}.")
    restart: Literal["never", "year", "month"] = Property("never", description="When numbers begin again.")
    per: Name | None = Property(None, description="A field of the records: each of its values has numbers of its "
                                "own, such as organisation.")
    gaps: Literal["allowed", "none"] = Property("allowed", description="`none`: no number is ever missing; who draws "
                                                "one then waits until the record before is saved or given up.")
    start: int = Property(1, ge=0, le=10**15, description="The first number.")
    was: Names | None = Property(None, description="Its former name or names: a rename goes on counting.")


class SequenceKind(Kind):
    """Codes given out one after the other."""

    name = "sequence"
    folder = "sequences"
    schema: ClassVar[type[Schema]] = SequenceSchema

    def build(self, merged: Merged, schema: Any, building: Building) -> Sequence:
        """The sequence, as written."""
        return Sequence(merged.name, schema.title or humanised(merged.name), schema.format, schema.restart, schema.per,
                        schema.gaps == "allowed", schema.start, schema.help or "", tuple(schema.was or ()))

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check the format, and every field that draws from it."""
        for column, message in _faults(value):
            building.tell(merged, ("format",), message, inside=column)
        for table in list(building.names.tables.values()):
            for field in table.own.values():
                if field.type.is_drawn and getattr(field.properties, "sequence", None) == value.name:
                    _check_use(merged, value, table, field, building)


def _faults(value: Sequence) -> Iterator[tuple[int, str]]:
    """What is wrong with a format, as column and message."""
    places = [one for one in value.pieces if isinstance(one, Place)]
    at = 1
    for one in value.pieces:
        if isinstance(one, Place):
            at = one.column
            if one.name not in PARTS and one.name.split(".")[0] != value.per:
                known = [*PARTS, *([value.per] if value.per else [])]
                yield at, f'"{one.name}" cannot stand in a format: one of {", ".join(known)} can' + suggestion(
                    one.name, known)
            elif one.name.count(".") > 1:
                yield at, "a format shows a field of the record that \"per\" leads to, and nothing behind it"
            if not 1 <= one.width <= WIDEST:
                yield at, f"a number has at least 1 and at most {WIDEST} digits"
            at = value.format.index("}", at) + 2
        else:
            brace = min((one.find(mark) for mark in "{}" if mark in one), default=-1)
            if brace >= 0:
                yield at + brace, "braces in a format hold a place, such as {number:5}"
            at += len(one)
    if len(value.format) > LONGEST:
        yield 1, f"a code has at most {LONGEST} characters"
    if [one.name for one in places].count("number") != 1 and all(nearest(one.name, PARTS) is None for one in places):
        yield 1, "a format holds {number} once"
    names = {one.name for one in places}
    missing = {"never": set(), "year": {"year"}, "month": {"year", "month"}}[value.restart] - names
    if missing:
        wanted = " and ".join("{" + name + "}" for name in sorted(missing, reverse=True))
        yield 1, f"numbers begin again each {value.restart}, so the format needs {wanted}: else codes come twice"


def _check_use(merged: Merged, value: Sequence, table: Table, field: Field, building: Building) -> None:
    """Check that the table has what the sequence tells its series apart by."""
    if value.per is None:
        return
    kind, _, owner = field.path.partition(".")[0].partition(" ")
    user = building.merged.get((kind, owner), merged)
    path: BodyPath = ("fields", field.name, "sequence")
    found = building.names.field(table.name, value.per)
    if found is None:
        if value.per not in building.names.lost:
            building.tell(user, path, f'sequence "{value.name}" counts per "{value.per}", which table "{table.name}" '
                                      "does not have")
        return
    building.field(user, path, table.name, value.per)
    if found.virtual or found.computed or found.many or found.type.name not in ("link", "choice", "text"):
        building.tell(user, path, f'sequence "{value.name}" counts per "{value.per}": that must be a link, a choice '
                                  "or a text with one value")
    for shown in (one for one in value.shown if one.count(".") < 2):
        _check_shown(merged, value, shown, found, user, path, building)


def _check_shown(merged: Merged, value: Sequence, shown: str, per: Field, user: Merged, path: BodyPath,
                 building: Building) -> None:
    """Check a field that stands in the format: a code is made of texts."""
    rest = shown.partition(".")[2]
    if not rest and per.target is not None:
        building.tell(user, path, f'the format of sequence "{value.name}" shows "{shown}", a link: say which field '
                                  "behind it, such as {" + shown + ".name}")
    if rest and per.target is None:
        building.tell(user, path, f'the format of sequence "{value.name}" shows "{shown}", but "{value.per}" is no '
                                  "link here")
    elif rest:
        behind = building.field(merged, ("format",), per.target or "", rest)
        stored = building.names.field(per.target or "", rest)
        if behind is not None and (behind.many or behind.name not in ("text", "choice")
                                   or stored is None or stored.virtual or stored.computed):
            building.tell(merged, ("format",), f'"{shown}" cannot stand in a format: it is no text')
