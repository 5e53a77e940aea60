"""Tables of the Model: fields with their types and conditions, record roles, rules, indexes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

from core.definition.scope import Written
from core.types.link import targets_of

if TYPE_CHECKING:
    from pydantic import BaseModel

    from core.expression import Expression
    from core.types.base import FieldType, Type


def use(value: object) -> object:
    """A literal as it is, a written expression as its Expression."""
    return value.expression if isinstance(value, Written) else value


@dataclass(frozen=True, eq=False)
class Field:
    """One field of a table; `table` is the one that declares (and stores) it, which may be the table's base."""

    table: str
    name: str
    type: FieldType[Any]
    properties: BaseModel
    title: str
    help: str = ""
    search: Literal["words", "contains"] | None = None
    on_delete: Literal["restrict", "clear", "cascade"] = "restrict"
    was: tuple[str, ...] = ()
    fresh: bool = False
    stored: bool = False  # a formula whose value is kept in a column
    path: str = ""  # the text path of its declaration: "table opportunity.fields.amount"
    # required readonly show default suggest fill formula among, as written: literals, or expressions not yet parsed
    written: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def required(self) -> bool | Expression:
        """Whether a record must have a value: always, never, or where a condition holds."""
        return cast("bool | Expression", use(self.written.get("required", False)))

    @cached_property
    def readonly(self) -> bool | Expression:
        """Whether people may not change it: always, never, or where a condition holds."""
        return cast("bool | Expression", use(self.written.get("readonly", False)))

    @cached_property
    def show(self) -> bool | Expression:
        """Whether forms show it: always, never, or where a condition holds."""
        return cast("bool | Expression", use(self.written.get("show", True)))

    @cached_property
    def default(self) -> object:
        """The value a new record begins with: a literal in normal form, an Expression, or None."""
        return use(self.written.get("default"))

    @cached_property
    def suggest(self) -> object:
        """The value proposed again whenever what it reads changes: a literal, an Expression, or None."""
        return use(self.written.get("suggest"))

    @property
    def fill(self) -> object:
        """What records get that are there before the field is: a literal in normal form, a Past, or None."""
        return self.written.get("fill")

    @cached_property
    def formula(self) -> Expression | None:
        """The expression that computes it; such a field is never typed by people."""
        return cast("Expression | None", use(self.written.get("formula")))

    @cached_property
    def among(self) -> Expression | None:
        """The condition that records of the linked table must meet to be chosen."""
        found = self.written.get("among")
        return None if isinstance(found, Mapping) else cast("Expression | None", use(found))

    def among_of(self, table: str) -> Expression | None:
        """The condition that records of one of the linked tables must meet to be chosen."""
        found = self.written.get("among")
        return cast("Expression | None", use(found.get(table))) if isinstance(found, Mapping) else self.among

    @property
    def computed(self) -> bool:
        """True if a formula gives its value, whether that is kept or not."""
        return "formula" in self.written

    @property
    def virtual(self) -> bool:
        """True if no column stores it: a formula that is not kept, or lines that live in another table."""
        return (self.computed and not self.stored) or self.type.virtual

    @property
    def target(self) -> str | None:
        """The only table that a link, lines or links through a table lead to."""
        return self.targets[0] if len(self.targets) == 1 else None

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The tables that it may lead to; none for what is no link, and for a link to any table."""
        if self.type.name == "link":
            return tuple(targets_of(self.properties))
        of = self.expression_type.of
        return (of,) if (self.type.is_lines or self.type.is_through) and of is not None else ()

    @property
    def names_records(self) -> bool:
        """True for every field whose values are records of the Model."""
        return bool(self.targets) or self.type.name == "any_link"

    @property
    def plural(self) -> bool:
        """True if its value is a list: plural links and choices, and links through a table."""
        return self.many or self.type.is_through

    @property
    def many(self) -> bool:
        """True for a plural link or choice."""
        return self.expression_type.many

    @cached_property
    def expression_type(self) -> Type:
        """What the field is inside an expression."""
        return self.type.expression_type(self.properties)


@dataclass(frozen=True)
class RecordRole:
    """How a person stands to a record: paths that end at people, the people above those of one path, or a scope.

    A scope compares two ends: the path `within` leads from the record into a tree, `of` from the user to where in it
    the user stands; it holds at those places and beneath them.
    """

    name: str
    is_: tuple[str, ...] = ()
    above: str | None = None
    within: str | None = None
    of: str | None = None


@dataclass(frozen=True, eq=False)
class Rule:
    """A condition that every saved record must meet (or, with `at`, at those moments only)."""

    name: str
    written: Written
    at: tuple[str, ...] = ()
    level: Literal["error", "warning"] = "error"
    message: str = ""

    @cached_property
    def check(self) -> Expression:
        """The condition."""
        return self.written.expression


@dataclass(frozen=True, eq=False)
class Unique:
    """Fields that no two records outside the trash may share, where the condition holds."""

    name: str
    fields: tuple[str, ...]
    message: str = ""
    written: Written | None = None

    @cached_property
    def where(self) -> Expression | None:
        """The records it concerns; None for all."""
        return self.written.expression if self.written else None


@dataclass(frozen=True)
class Index:
    """Fields that lists filter and sort by together."""

    name: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Access:
    """Rights that come from other records: read it if you may read what `through` leads to; `only` beats grants."""

    through: tuple[str, ...] = ()
    only: str | None = None


@dataclass(frozen=True, eq=False)
class Lock:
    """When a record refuses every write: by its own condition, or while a record that a link leads to is locked."""

    written: Written | None = None
    with_: tuple[str, ...] = ()
    except_: frozenset[str] = frozenset()   # fields that are written all the same
    message: str = ""

    @cached_property
    def when(self) -> Expression | None:
        """The records it concerns; None: only those that another one locks."""
        return self.written.expression if self.written else None


# types and kinds of values that the record service looks at beyond what their type says
_ASKS_MORE = frozenset(("file", "expression", "sequence", "choice", "link", "links", "any_link", "table", "field",
                        "state", "lines"))


@dataclass(frozen=True, eq=False)
class Table:
    """A table of records; the fields of its base come first, then its mixins', then its own."""

    name: str
    addon: str
    title: str
    plural: str
    display: str
    fields: Mapping[str, Field]
    base: str | None = None
    root: str = ""  # the table that stores its records: the topmost base, or itself
    abstract: bool = False
    kinds: tuple[str, ...] = ()  # the tables under this base that hold records
    uses: tuple[str, ...] = ()
    roles: Mapping[str, RecordRole] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    unique: Mapping[str, Unique] = field(default_factory=dict)
    indexes: Mapping[str, Index] = field(default_factory=dict)
    keeps: frozenset[str] = frozenset()
    peek: tuple[str, ...] = ()
    access: Access = Access()
    lock: Lock | None = None
    people: str | None = None  # the path by which a record stands for users
    above: str | None = None  # the path to its superior
    during: tuple[str, str] | None = None  # its first and last day; it gives rights from the one to the other
    epoch: bool = False  # writing it raises bm.live.epoch
    help: str = ""
    was: tuple[str, ...] = ()
    trash_days: int | None = None  # how long deleted records stay; 0: for ever; None: as the system says

    @cached_property
    def plain(self) -> Mapping[str, Field]:
        """The fields of which nothing but their type has to be asked whether a written value fits: most of them."""
        return {name: field for name, field in self.fields.items()
                if not field.virtual and field.readonly is not True and "formula" not in field.written
                and not getattr(field.type, "is_file", False) and field.type.name not in _ASKS_MORE
                and field.expression_type.name not in _ASKS_MORE and not field.computed}

    @cached_property
    def always_required(self) -> Mapping[str, Field]:
        """The fields that no record may leave empty."""
        return {name: field for name, field in self.fields.items() if field.required is True}

    @cached_property
    def own(self) -> Mapping[str, Field]:
        """The fields it declares itself or takes from mixins: those it adds to its base."""
        return {name: f for name, f in self.fields.items() if f.table == self.name}

    @cached_property
    def links(self) -> Mapping[str, Field]:
        """The link fields, plural ones too."""
        return {name: f for name, f in self.fields.items() if f.type.name == "link"}

    @cached_property
    def lines(self) -> Mapping[str, Field]:
        """The fields that hold records of a child table."""
        return {name: f for name, f in self.fields.items() if f.type.is_lines}
