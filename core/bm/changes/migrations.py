"""What records that are there get on the way to a version: by `fill` of a field, upgrade steps of addons, answers.

Pure: from two states and the answers to what each field is filled with. Expressions are typed here against the version
that is live before, whose names they use.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from core.bm.changes.read_paths import Reading
from core.bm.changes.required import comes_with_base
from core.bm.inputs.questions import LEAVE
from core.bm.versions.homes import former_field, home
from core.bm.versions.meanings import before_renames
from core.definition.migrations import Filled, Migration, Past, UpgradeStep, version_key
from core.errors import Words, words
from core.expression import Expression, ExpressionError, check
from core.expression.parse import parse
from core.expression.sets import AGGREGATES
from core.types.base import PLAIN, BadValue, Type

if TYPE_CHECKING:
    from core.bm.inputs.way import Way
    from core.bm.versions.state import State
    from core.definition.model import Field, Model
    from core.definition.values import BodyPath

T = TypeVar("T")
NOBODY = words("records are filled by no user: it cannot read \"user\"")


class Version(Protocol):
    """What typing needs of a State, or of a System."""

    @property
    def model(self) -> Model | None: ...

    @property
    def identities(self) -> Mapping[str, int]: ...

    @property
    def names(self) -> Mapping[int, str]: ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A value for the records of a condition: a literal in normal form, or an expression over the version before."""

    value: object
    where: Past | None = None
    kind: str = ""                          # the definition that says it, and where in it
    name: str = ""
    path: BodyPath = ()

    @property
    def where_path(self) -> BodyPath:
        """Where its condition stands."""
        return (*self.path[:2], "where")


@dataclass(frozen=True, slots=True)
class Fill:
    """What one field gets: the first piece whose condition holds.

    `keeps` is the field of the base that the others' values stay from; `again`: it returns from being parked, so that
    only records which came meanwhile get something.
    """

    field: str                              # the field as the target declares it, "company.region"
    table: str                              # the table of the target whose records get it
    before: str                             # the same table in the base
    pieces: tuple[Piece, ...]
    keeps: str | None = None                # by its name in `before`
    again: bool = False


def due(base: State, target: State) -> tuple[tuple[Migration, UpgradeStep], ...]:
    """The upgrade steps between the versions of addons that are live and those that come, in their order."""
    if base.model is None or target.model is None:
        return ()
    before, after = ({addon.name: version_key(addon.version) for addon in state.addons}
                     for state in (base.model, target.model))
    found = []
    for one in target.model.migrations.values():
        old, new, key = before.get(one.addon), after.get(one.addon), version_key(one.version)
        if old is not None and new is not None and key is not None and old < key <= new:
            found.append((key, one))
    addons = [addon.name for addon in target.model.addons]
    found.sort(key=lambda pair: (addons.index(pair[1].addon), pair[0]))
    return tuple((one, step) for _, one in found for step in one.steps.values())


def used_up(base: State, target: State) -> frozenset[str]:
    """The fields of the base that go into others: nobody has to be asked whether they were renamed."""
    return frozenset(path for _, step in due(base, target) for path in step.ends if path in base.identities)


def fills(base: State, target: State, answers: Mapping[str, str]) -> tuple[Fill, ...]:
    """All that is filled on a way, once for each table and field, what tables say before what those under them say."""
    return tuple(_found(base, target, answers))


def said(base: State, target: State) -> frozenset[str]:
    """The fields, by the table whose records get it, of which definitions say what records get that are there."""
    return frozenset(f"{one.table}.{one.field.partition('.')[2]}" for one in fills(base, target, {}))


def _found(base: State, target: State, answers: Mapping[str, str]) -> Iterator[Fill]:
    """What is said, by precedence: an answer, an upgrade step, `fill`, and, of what is required, the default."""
    if base.model is None or target.model is None:
        return
    steps = _of_steps(base, target)
    for name, table in target.model.tables.items():
        before = base.names.get(target.identities[name])
        if before is None:
            continue
        for one in table.fields.values():
            path = f"{one.table}.{one.name}"
            if one.virtual or one.computed or one.type.is_drawn:
                continue
            here = one.table == name or one.path.startswith(f"table {name}.")      # declared, or narrowed, here
            comes = comes_with_base(base, target, name, one)
            former = base.names.get(target.identities[path])
            if comes or home(base, before) != home(target, name):
                old = former_field(base, target, before, one)
            else:
                old = base.model.field(*former.split(".")) if former is not None else None
            old = None if old is None or old.virtual else old
            pieces = steps.get((name, one.name)) or (
                _of_field(base, target, name, one, old, answers) if here or comes else ())
            fill = Fill(path, name, before, tuple(pieces), old.name if old is not None else None,
                        target.identities[path] in target.returning)
            if pieces and (here or all(_understood(base, target, fill, piece) for piece in pieces)):
                yield fill


def _understood(base: State, target: State, fill: Fill, piece: Piece) -> bool:
    """Whether what a base says of its own records can be said of those of a table that comes under it."""
    if piece.kind in ("", "migration"):
        return True                             # said of these records: what is wrong with it is told
    try:
        typed(base, target, fill, piece)
    except ExpressionError:
        return False
    return True


def _of_steps(base: State, target: State) -> dict[tuple[str, str], list[Piece]]:
    """What the upgrade steps say of each field, the latest first, in words of the version that is live."""
    found: dict[tuple[str, str], list[Piece]] = {}
    for migration, step in due(base, target):
        for one in step.fills:
            found.setdefault((one.table, one.field), []).insert(0, _piece(base, target, migration, one, found))
    return found


def _piece(base: State, target: State, migration: Migration, one: Filled,
           earlier: Mapping[tuple[str, str], list[Piece]]) -> Piece:
    """One value, where a name that an earlier step sets is written out."""
    known = {name: _written_out(pieces, _there(base, target, one.table, name))
             for (table, name), pieces in earlier.items()
             if table == one.table and any(piece.name != migration.name for piece in pieces)}
    return Piece(_spelled(one.value, known), _spelled(one.where, known), "migration", migration.name, one.path)


def _there(base: State, target: State, table: str, name: str) -> str:
    """A field of the base as an expression, empty if it has none of that name."""
    before = base.names.get(target.identities.get(table, 0))
    return name if before is not None and base.model is not None and base.model.field(before, name) else "None"


def _written_out(pieces: list[Piece], otherwise: str) -> str:
    """What a field gets as one expression."""
    said = otherwise
    for piece in reversed(pieces):
        value = piece.value.source if isinstance(piece.value, Past) else _quoted(piece.value)
        said = f"({value})" if piece.where is None else f"(({value}) if ({piece.where.source}) else {said})"
    return said


def _quoted(value: object) -> str:
    if value is None or isinstance(value, bool):
        return str(value)
    return repr(str(value)) if not isinstance(value, int) else str(value)


def _spelled(value: T, known: Mapping[str, str]) -> T:
    """An expression with some bare names of its record written out; where they stand otherwise, they stay."""
    if not isinstance(value, Past) or not known:
        return value
    try:
        source = parse(value.source)
    except ExpressionError:
        return value
    text = value.source
    for node in sorted(_own_names(source.tree), key=lambda node: -node.col_offset):
        if node.id in known:
            start = source.column(node) - 1
            text = text[:start] + known[node.id] + text[start + len(node.id):]
    return cast("T", Past(text))


def _own_names(node: ast.AST) -> Iterator[ast.Name]:
    """The bare names that are fields of the record itself: not those within brackets and aggregates."""
    if isinstance(node, ast.Name):
        yield node
    elif isinstance(node, ast.Subscript):
        yield from _own_names(node.value)
    elif isinstance(node, ast.Call):
        inner = isinstance(node.func, ast.Name) and node.func.id in AGGREGATES
        for argument in node.args[:1] if inner else (*node.args, *(one.value for one in node.keywords)):
            yield from _own_names(argument)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _own_names(child)


def _of_field(base: State, target: State, table: str, one: Field, old: Field | None,
              answers: Mapping[str, str]) -> tuple[Piece, ...]:
    """What is answered, or said by the field itself: for all records, or for those that are empty in what is there."""
    kind, _, name = one.path.partition(".")[0].partition(" ")
    other = old is not None and other_type(base, target, one, old)
    where = None if old is None or other else Past(f"{old.name} is None")
    becomes = one.required is True and (old is None or old.required is not True)
    answer = answers.get(f"fill {table}.{one.name}")
    if answer == LEAVE:
        return ()
    if answer is not None:
        return (Piece(_answered(one, answer), where),)
    if one.fill is not None and (old is None or other or becomes):
        return (Piece(one.fill, where, kind, name, ("fields", one.name, "fill")),)
    default = one.default
    if isinstance(default, Expression):
        default = None if any(variable[0] == "user" for variable in default.variables) else Past(default.source)
    if becomes and default is not None:
        return (Piece(default, where, kind, name, ("fields", one.name, "default")),)
    return ()


def other_type(base: State, target: State, one: Field, old: Field) -> bool:
    """Whether values of a field of the base are of another type than those of a field of the target."""
    return base.meaning(f"{old.table}.{old.name}") != before_renames(base, target, f"{one.table}.{one.name}")


def refilled(base: State, target: State, answers: Mapping[str, str], empty: Callable[[str], bool]) -> frozenset[str]:
    """The fields that are there and get values all the same: these stand in other columns, unseen until the flip.

    `empty` tells of a field that becomes required whether records have no value in it.
    """
    there = (one for one in fills(base, target, answers)
             if one.keeps is not None and home(base, one.before) == home(target, one.table))
    return frozenset(one.field for one in there if any(piece.kind == "migration" for piece in one.pieces)
                     or empty(f"{one.table}.{one.field.partition('.')[2]}"))


def _answered(one: Field, answer: str) -> object:
    if answer.startswith("="):
        return Past(answer[1:])
    try:
        return one.type.parse(answer, one.properties, PLAIN)
    except BadValue:
        return None                         # told by who asked


# Typing

def typed(base: Version, target: Version, fill: Fill, piece: Piece) -> tuple[Expression | None, Expression | None]:
    """The value and the condition of a piece as expressions over the base. Raises ExpressionError."""
    one, value = field_of(target, fill), None
    if isinstance(piece.value, Past):
        value = _check(base, fill.before, piece.value, _wanted(base, target, one))
    if value is not None and one.type.name == "choice" and value.type.name not in ("text", "choice", "null"):
        raise ExpressionError("a text or a choice is expected here")
    return value, _check(base, fill.before, piece.where, "boolean") if piece.where is not None else None


def field_of(target: Version, fill: Fill) -> Field:
    """The field that is filled."""
    model = target.model
    found = model.field(fill.table, fill.field.partition(".")[2]) if model is not None else None
    if found is None:
        raise KeyError(fill.field)
    return found


def _check(base: Version, table: str, past: Past, wanted: str | Type | None) -> Expression:
    model = base.model
    if model is None:
        raise KeyError(table)
    found = check(past.source, model.scope(table), wanted, *(() if model.names.functions is None
                                                             else (model.names.functions,)))
    if any(variable[0] == "user" for variable in found.variables):
        raise ExpressionError(NOBODY)
    return found


def _wanted(base: Version, target: Version, one: Field) -> str | Type | None:
    """The type that a value must have, in words of the base; of choices the values are looked at one by one."""
    kind = one.expression_type
    if kind.name in ("choice", "any_link") or kind.many:
        return None
    if kind.name == "link" and kind.of is not None:
        former = base.names.get(target.identities.get(kind.of, 0))
        return Type("link", former) if former is not None else kind
    return kind if kind.name != "json" else None


def problems(way: Way) -> Iterator[Words]:
    """Expressions that the version before does not understand, each with its place."""
    for fill in fills(way.base, way.target, way.answers):
        for piece in fill.pieces:
            try:
                Reading(way.base, way.facts.physical).add(fill, list(typed(way.base, way.target, fill, piece)))
            except ExpressionError as error:
                yield _placed(way, fill, piece, error)


def _placed(way: Way, fill: Fill, piece: Piece, error: ExpressionError) -> Words:
    """What is wrong, where it is written, and of which version it speaks."""
    said = words("{problem} (as version {version} has it, which is live)", problem=error.words,
                 version=way.base.version)
    merged = way.target.model.definitions.get((piece.kind, piece.name)) if way.target.model is not None else None
    if merged is None or not merged.origin:
        return words("{name}: {problem}", name=fill.field, problem=said)
    written: Past | None = piece.value if isinstance(piece.value, Past) else None
    at, shift = piece.path, 1
    if written is None or not _is_wrong(way, fill, replace(piece, where=None)):
        at, shift = piece.where_path, 0
    mark = merged.mark(at)
    place = mark.problem("", error.column + shift)
    return words("{name}: {problem}", name=f"{place.file}:{place.line}:{place.column}", problem=said)


def _is_wrong(way: Way, fill: Fill, piece: Piece) -> bool:
    try:
        typed(way.base, way.target, fill, piece)
    except ExpressionError:
        return True
    return False


def notes(way: Way) -> Iterator[Words]:
    """What becomes of which fields, in a line for each step."""
    for _, step in due(way.base, way.target):
        yield sentence(step)


def sentence(step: UpgradeStep) -> Words:
    """What a step does, such as "company.name is split into first_name, last_name"."""
    names = ", ".join(one.field if step.verb != "move" else f"{one.table}.{one.field}" for one in step.fills)
    ends = ", ".join(step.ends)
    if step.verb == "split":
        return words("{field} is split into {fields}", field=ends, fields=names)
    if step.verb == "merge":
        return words("{fields} become {field}", fields=ends, field=names)
    if step.verb == "move":
        return words("{field} moves to {fields}", field=ends, fields=names)
    return words("{table}: {fields} are filled", table=step.fills[0].table if step.fills else "", fields=names)
