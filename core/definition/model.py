"""The Model: the immutable, checked result of all layers, as typed values with references resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, cast

from core.definition.scope import ModelScope, Names, Written
from core.definition.values import Merged

if TYPE_CHECKING:
    from pydantic import BaseModel

    from core.expression import Expression
    from core.types.base import FieldType, Type

Right = Literal[False, True] | tuple[str, ...]


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
    path: str = ""  # the text path of its declaration: "table opportunity.fields.amount"
    # required readonly show default suggest formula among, as written: literals, or expressions not yet parsed
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

    @cached_property
    def formula(self) -> Expression | None:
        """The expression that computes it; such a field is never typed by people."""
        return cast("Expression | None", use(self.written.get("formula")))

    @cached_property
    def among(self) -> Expression | None:
        """The condition that records of the linked table must meet to be chosen."""
        return cast("Expression | None", use(self.written.get("among")))

    @property
    def virtual(self) -> bool:
        """True if no column stores it: a formula, or lines that live in another table."""
        return "formula" in self.written or self.type.virtual

    @property
    def target(self) -> str | None:
        """The table a link or lines field leads to."""
        return self.expression_type.of if self.type.name in ("link", "lines") else None

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
    """How a person stands to a record: paths that end at people, or the people above those of one path."""

    name: str
    is_: tuple[str, ...] = ()
    above: str | None = None


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
    people: str | None = None  # the path by which a record stands for users
    above: str | None = None  # the path to its superior
    epoch: bool = False  # writing it raises bm.live.epoch
    help: str = ""
    was: tuple[str, ...] = ()

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
        return {name: f for name, f in self.fields.items() if f.type.name == "lines"}

    @cached_property
    def display_paths(self) -> tuple[str, ...]:
        """The paths that stand in braces in `display`."""
        from core.definition.texts import text_paths
        return tuple(text_paths(self.display))


@dataclass(frozen=True)
class ChoiceValue:
    """One value of a choices definition; code binds to its role, never to its name."""

    name: str
    title: str
    role: str | None = None
    color: str | None = None
    retired: bool = False


@dataclass(frozen=True)
class Choices:
    """A closed list of values; `open_in_live` lets administrators add values without a promotion."""

    name: str
    title: str
    values: Mapping[str, ChoiceValue]
    open_in_live: bool = False


@dataclass(frozen=True)
class Column:
    """One column of a list."""

    name: str
    path: str
    title: str | None = None  # None: the title of the field it ends at
    total: Literal["sum", "average", "min", "max", "count"] | None = None
    badge: bool = False


@dataclass(frozen=True, eq=False)
class Filter:
    """A named condition that people switch on over a list."""

    name: str
    title: str
    written: Written
    default: bool = False
    group: str | None = None

    @cached_property
    def where(self) -> Expression:
        """The records it leaves."""
        return self.written.expression


@dataclass(frozen=True, eq=False)
class List:
    """Records of a table in rows."""

    name: str
    of: str
    title: str
    columns: Mapping[str, Column]
    order: tuple[str, ...] = ()  # paths; "-path" from high to low
    filters: Mapping[str, Filter] = field(default_factory=dict)
    views: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    generated: bool = False


@dataclass(frozen=True)
class FormNode:
    """One node of a form; `ref` is its identity in the form, by which layers aim at it."""

    tag: str
    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: tuple[FormNode, ...] = ()

    def walk(self) -> Iterator[FormNode]:
        """This node and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Form:
    """The layout of one record of a table."""

    name: str
    of: str
    title: str
    root: FormNode
    generated: bool = False

    @property
    def titles(self) -> Mapping[str, str]:
        """The titles of its nodes, by ref."""
        return {n.ref: n.attributes["title"] for n in self.root.walk() if "title" in n.attributes}

    @property
    def fields(self) -> tuple[str, ...]:
        """The paths of the fields it shows, in order."""
        return tuple(n.attributes["name"] for n in self.root.walk() if n.tag == "field")


@dataclass(frozen=True, eq=False)
class Object:
    """A business object: one icon, one URL; several may stand on one table."""

    name: str
    title: str
    of: str
    area: str | None = None
    icon: str | None = None
    color: str | None = None
    lists: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    help: str = ""
    written: Written | None = None
    values: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def where(self) -> Expression | None:
        """The records it shows; None for all."""
        return self.written.expression if self.written else None

    @cached_property
    def new(self) -> Mapping[str, object]:
        """The values a record made here begins with: literals or Expressions."""
        return {name: use(value) for name, value in self.values.items()}


@dataclass(frozen=True)
class Grant:
    """What a role allows on a table or a field: never, always, or to those who stand so to the record.

    None is not said: the table's grant counts for a field, the base's for a table, and else it is never.
    """

    create: Right | None = None
    read: Right | None = None
    change: Right | None = None
    delete: Right | None = None
    export: Right | None = None
    peek: Right | None = None


@dataclass(frozen=True)
class Role:
    """A set of grants; roles only add. `all` is every right, `portal` roles inherit nothing."""

    name: str
    title: str
    includes: tuple[str, ...] = ()
    all: bool = False
    kind: Literal["staff", "portal"] = "staff"
    grants: Mapping[str, Grant] = field(default_factory=dict)  # by "table" or "table.field"
    help: str = ""


@dataclass(frozen=True)
class Data:
    """Records shipped with a layer, by the value of their key field."""

    name: str
    of: str
    key: str
    records: Mapping[str, Mapping[str, object]]  # a link's value is the key of a shipped record


@dataclass(frozen=True)
class Area:
    """A part of the desktop that groups objects."""

    name: str
    title: str
    icon: str | None = None
    color: str | None = None


@dataclass(frozen=True)
class Menu:
    """The areas of the desktop, in order."""

    name: str
    title: str
    areas: Mapping[str, Area]


@dataclass(frozen=True)
class Addon:
    """An installed addon."""

    name: str
    version: str
    title: str
    needs: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True)
class SystemSettings:
    """What the site says of the whole system."""

    name: str = "main"
    title: str = "Tessera"
    addons: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)
    currency: str = "EUR"
    time_zone: str = "UTC"


@dataclass(frozen=True, eq=False)
class Model:
    """All definitions of a version, built; `values` holds those of every kind by name."""

    hash: str
    system: SystemSettings
    addons: tuple[Addon, ...]
    values: Mapping[str, Mapping[str, object]]
    definitions: Mapping[tuple[str, str], Merged]
    names: Names

    @property
    def tables(self) -> Mapping[str, Table]:
        """All tables."""
        return cast("Mapping[str, Table]", self.values["table"])

    @property
    def choices(self) -> Mapping[str, Choices]:
        """All choices, and the built-in `role`: the roles of this model."""
        return cast("Mapping[str, Choices]", self.values["choices"])

    @property
    def objects(self) -> Mapping[str, Object]:
        """All business objects."""
        return cast("Mapping[str, Object]", self.values["object"])

    @property
    def lists(self) -> Mapping[str, List]:
        """All lists that are written; `list_of` also gives the generated one of a table."""
        return cast("Mapping[str, List]", self.values["list"])

    @property
    def forms(self) -> Mapping[str, Form]:
        """All forms that are written; `form_of` also gives the generated one of a table."""
        return cast("Mapping[str, Form]", self.values["form"])

    @property
    def roles(self) -> Mapping[str, Role]:
        """All security roles."""
        return cast("Mapping[str, Role]", self.values["role"])

    @property
    def data(self) -> Mapping[str, Data]:
        """All shipped records."""
        return cast("Mapping[str, Data]", self.values["data"])

    @property
    def menus(self) -> Mapping[str, Menu]:
        """All menus."""
        return cast("Mapping[str, Menu]", self.values["menu"])

    @property
    def areas(self) -> Mapping[str, Area]:
        """The areas of all menus, in order."""
        return {name: area for menu in self.menus.values() for name, area in menu.areas.items()}

    def field(self, table: str, name: str) -> Field | None:
        """A field of a table; from a base also one that exactly one of its kinds declares."""
        return self.names.field(table, name)

    def scope(self, table: str | None, variables: Mapping[str, Type] = MappingProxyType({})) -> ModelScope:
        """The names an expression about a record of the table may use."""
        return ModelScope(self.names, table, variables)

    def text(self, path: str, language: str) -> str:
        """The text at a path such as `table opportunity.fields.amount.title`, in a language if translated."""
        from core.definition.texts import text
        return text(self, path, language)

    def list_of(self, table: str) -> List:
        """The list named like the table, else the first written for it or its base, else a generated one."""
        from core.definition.defaults import list_of
        return list_of(self, table)

    def form_of(self, table: str) -> Form:
        """The form named like the table, else the first written for it or its base, else a generated one."""
        from core.definition.defaults import form_of
        return form_of(self, table)
