"""What narrows a page: conditions of users and definitions, values to equal, and the search box."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, Select, Text, false, or_, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY

from core.ed import link_filters, search_index
from core.ed.columns import RecordColumns, live
from core.ed.scope import gated_scope
from core.ed.selection import check_path
from core.ed.statement import parameter
from core.ed.words import is_short, to_query
from core.errors import BadRequest, Denied, Words
from core.expression import Expression, ExpressionError, check
from core.types.base import BadValue, Type

if TYPE_CHECKING:
    from core.ed.session import Session

Filters = Mapping[str, object]
MOST_FILTERS = 20
LONGEST_SEARCH = 200
MOST_VALUES = 1000


@dataclass(frozen=True, slots=True)
class Condition:
    """What a page is narrowed by: the shape of it as a key, its values as parameters, its SQL on demand."""

    key: Hashable
    parameters: Mapping[str, object]
    makers: tuple[Callable[[RecordColumns], ColumnElement[bool]], ...]
    typed: bool = False             # people typed some of it: it may match anything, and take any time

    def conditions(self, columns: RecordColumns) -> list[ColumnElement[bool]]:
        """The conditions over a select."""
        return [make(columns) for make in self.makers]


@dataclass(frozen=True, slots=True)
class Needle:
    """What a statement that searches depends on; the text itself is a parameter of it."""

    words: bool             # it has words for the index
    short: bool             # it has no three letters in a row


def ask(session: Session, table: str, where: Any, filters: Filters, search: str | None) -> Condition:
    """Understand what a caller wants; raises BadRequest with the place where it is not understood."""
    keys: list[Hashable] = []
    makers: list[Callable[[RecordColumns], ColumnElement[bool]]] = []
    parameters: dict[str, object] = {
        "_".join(("parameter", name)): value for name, value in session.environment.variables.items()
        if not name.startswith("setting.")}
    for number, one in enumerate(_several(where)):
        if isinstance(one, Condition):              # of a group: grouping.within
            keys.append(one.key)
            parameters |= one.parameters
            makers += one.makers
            continue
        expression, values = (one, {}) if isinstance(one, Expression) else \
            parse(session, table, one).lifted(f"where_{number}")
        keys.append(("where", expression.node))
        parameters |= values
        makers.append(_by_expression(expression))
    if len(filters) > MOST_FILTERS:
        raise BadRequest("At most {most} filters can be set at once.", "filters", most=MOST_FILTERS)
    for number, (name, value) in enumerate(filters.items()):
        key, make = _filter(session, table, number, name, value, parameters)
        keys.append(key)
        makers.append(make)
    needle, found = looked_for(search)
    if needle is not None:
        parameters |= found
        keys.append(("search", needle))
        makers.append(lambda columns: searched(columns, needle))
    typed = needle is not None or any(isinstance(one, str) for one in _several(where))
    return Condition(tuple(keys), parameters, tuple(makers), typed)


def parse(session: Session, table: str, source: str, at: str = "where") -> Expression:
    """A condition that a user wrote, over what this user may read. Raises BadRequest with column and suggestion."""
    if not isinstance(source, str):
        raise BadRequest("A condition is text.", at)
    try:
        return session.system.cache.get(
            ("condition", session.user.shape, table, source),
            lambda: check(source, gated_scope(session.gate, table), "boolean"))
    except ExpressionError as error:
        raise BadRequest(error.words, at, error.column) from None


def searched(columns: RecordColumns, needle: Needle) -> ColumnElement[bool]:
    """The condition that a record holds the searched text, in fields that this user may read.

    Fields with `search: contains` are asked themselves, for the index of words is filled a moment after a write. Each
    has a select of its own, so that each can use its index.
    """
    found = containing(columns, needle)
    if needle.words:
        found += [one if columns.root.shown is True else _readable(columns, one)
                  for one in search_index.matching(columns)]
    if not found:
        return false()
    return columns.root.id.in_(found[0] if len(found) == 1 else union_all(*found))


def containing(columns: RecordColumns, needle: Needle) -> list[Select[Any]]:
    """Selects of the ids of records with the text in a field with `search: contains`.

    An index of trigrams finds three letters anywhere in a text; fewer only where a word begins.
    """
    found = []
    for field in search_index.fields(columns.system, columns.root.table):
        if field.search == "contains":
            own = RecordColumns(columns.system, columns.gate, columns.root.table)
            if columns.root.shown is not True:          # a look-up, which may also peek
                own.peek()
            try:
                value = own.value((field.name,))
            except Denied:
                continue
            if needle.short and columns.root.shown is True:
                held = or_(value.ilike(parameter("starts", type_=Text)), value.ilike(parameter("within", type_=Text)))
            else:
                held = value.ilike(parameter("contains", type_=Text))
            found.append(select(own.root.id).where(held))
    return found


def _readable(columns: RecordColumns, ids: Select[Any]) -> Select[Any]:
    """Of some ids those of records that may be read: words of others are found by nobody who only peeks."""
    own = RecordColumns(columns.system, columns.gate, columns.root.table)
    return select(own.root.id).where(own.root.id.in_(ids), *live(own))


def escaped(text: str) -> str:
    """A text within a pattern for LIKE, whatever characters it has."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def looked_for(text: str | None) -> tuple[Needle | None, dict[str, object]]:
    """What a searched text asks of a statement (None: there is nothing to look for), and its parameters."""
    plain = (text or "").strip()
    if not plain:
        return None, {}
    if len(plain) > LONGEST_SEARCH:
        raise BadRequest("Search for at most {most} characters.", "search", most=LONGEST_SEARCH)
    if "\x00" in plain or any("\ud800" <= character <= "\udfff" for character in plain):
        raise BadRequest("This text holds characters that no record can hold.", "search")
    query, like = to_query(plain), escaped(plain)
    return Needle(bool(query), is_short(plain)), {
        "contains": f"%{like}%", "starts": f"{like}%", "within": f"% {like}%", "query": query,
        "titled": to_query(plain, "A")}


def _several(where: Any) -> Sequence[Any]:
    if where is None or where == "":
        return ()
    return where if isinstance(where, (list, tuple)) else (where,)


def _by_expression(expression: Expression) -> Callable[[RecordColumns], ColumnElement[bool]]:
    def make(columns: RecordColumns) -> ColumnElement[bool]:
        try:
            return expression.where(columns)
        except Denied as error:
            raise BadRequest(error.words, "where") from None
    return make


def _filter(session: Session, table: str, number: int, name: str, value: object,
            parameters: dict[str, object]) -> tuple[Hashable, Callable[[RecordColumns], ColumnElement[bool]]]:
    """One `field = value`; a list means any of them, None means empty."""
    kind = check_path(session.gate, table, name, at="filters")
    path = tuple(name.split("."))
    if kind is not None and kind.name == "set" and link_filters.passes_through(session, table, path):
        return link_filters.by_links(number, path, value, parameters)
    if kind is None or kind.name in ("set", "json"):
        raise BadRequest('Records cannot be filtered by "{name}".', "filters", name=name)
    if value is None:
        return ("empty", name), lambda columns: columns.value(path).is_(None)
    several = isinstance(value, (list, tuple))
    given_values = value if isinstance(value, (list, tuple)) else [value]
    items = [_normal(session, table, path, kind, item) for item in given_values]
    if len(items) > MOST_VALUES:
        raise BadRequest("At most {most} values can be asked for.", "filters", most=MOST_VALUES)
    parameters[f"filter_{number}"] = items if several or kind.many else items[0]
    given = f"filter_{number}"
    if kind.many:
        array = ARRAY(BigInteger if kind.name == "link" else Text)
        return ("many", name, number), lambda columns: columns.value(path).overlap(parameter(given, type_=array))
    if several:
        return ("any", name, number), lambda columns: columns.value(path) == _any_of(columns, path, given)
    return ("equal", name, number), lambda columns: columns.value(path) == parameter(given)


def _any_of(columns: RecordColumns, path: tuple[str, ...], given: str) -> ColumnElement[Any]:
    return parameter(given, type_=ARRAY(columns.value(path).type)).any_()


def _normal(session: Session, table: str, path: tuple[str, ...], kind: Type, value: object) -> Any:
    """A filter's value in the normal form of its field."""
    if kind.name in ("link", "any_link"):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
            raise BadRequest('"{name}" is filtered by the id of a record.', "filters", name=name_of(path))
        return value
    field = session.system.model.field(table, path[0]) if len(path) == 1 else None
    if field is None or kind.many:
        if not isinstance(value, str) or "\x00" in value:
            raise BadRequest('"{name}" cannot be filtered by this value.', "filters", name=name_of(path))
        return value
    try:
        return field.type.to_columns(field.type.validate(value, field.properties), field.properties)[0]
    except BadValue as error:
        raise BadRequest("{name}: {problem}", "filters", name=name_of(path),
                         problem=Words(error.message, error.params)) from None


def name_of(path: tuple[str, ...]) -> str:
    """A path as people write it."""
    return ".".join(path)
