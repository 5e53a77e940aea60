"""The Model: the immutable, checked result of all layers, as typed values with references resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, cast, get_args

from core.definition.named import Function, Sequence, Setting, Template
from core.definition.scope import ModelScope, Names, Written
from core.definition.tables import Access, Field, Index, Lock, RecordRole, Rule, Table, Unique, use
from core.definition.values import Merged

if TYPE_CHECKING:
    from core.definition.migrations import Migration
    from core.definition.processes import Agent, Scenario, Workflow
    from core.definition.queries import Query
    from core.definition.reporting import Chart, Dashboard, Report
    from core.expression import Expression
    from core.types.base import Type

__all__ = ["DUTIES", "Access", "Addon", "Area", "ChoiceValue", "Choices", "Column", "Data", "Duty", "Field", "Filter",
           "Form", "FormNode", "Grant", "Index", "List", "Lock", "Menu", "Model", "Object", "RecordRole", "Restriction",
           "Right", "Role", "Rule", "SystemSettings", "Table", "Unique", "use"]

Right = Literal[False, True] | tuple[str, ...]
Duty = Literal["plan", "promote", "roll_back", "purge", "customise"]     # what administrators do, a right each
DUTIES: tuple[Duty, ...] = get_args(Duty)


@dataclass(frozen=True)
class ChoiceValue:
    """One value of a choices definition; code binds to its role, never to its name."""

    name: str
    title: str
    role: str | None = None
    color: str | None = None
    retired: bool = False
    path: str = ""  # where its texts are found: "choices deal_stage.values.won", "workflow ticket.states.open"


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
    query: str | None = None            # the query that it is of; `of` is then the table of its records
    rows: Query | None = None           # what it shows, if that query gives rows; `of` is then ""


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
    """The layout of one record of a table, or of a dialog."""

    name: str
    of: str  # "" for the form of a dialog
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
    query: str | None = None            # the query that it is of; `of` is then a table that it reads
    rows: Query | None = None           # what it shows, if that query gives rows; nothing can be made or changed then

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

    None is not said: the table's grant counts for a field, the base's for a table, and else it is never. All of it
    holds for the records that meet `where`.
    """

    create: Right | None = None
    read: Right | None = None
    change: Right | None = None
    delete: Right | None = None
    export: Right | None = None
    peek: Right | None = None
    unlock: Right | None = None
    where: Written | None = None


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
    shares_views: bool = False
    may: frozenset[str] = frozenset()  # of DUTIES


@dataclass(frozen=True, eq=False)
class Restriction:
    """What holds for everybody, whatever is granted: who alone has rights on some records, or fields, of a table."""

    name: str
    of: str
    rights: Mapping[str, Right]  # right -> never, or those who stand so to the record or hold such a role
    fields: tuple[str, ...] = ()  # empty: the record
    written: Written | None = None
    help: str = ""

    @cached_property
    def where(self) -> Expression | None:
        """The records it concerns; None for all."""
        return self.written.expression if self.written else None


@dataclass(frozen=True)
class Data:
    """Records shipped with a layer, by the value of their key field."""

    name: str
    of: str
    key: str
    records: Mapping[str, Mapping[str, object]]  # a link's value is the key of a shipped record
    renamed: Mapping[str, str] = field(default_factory=dict)    # former keys, and those of now


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
    language: str = "en"


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
    def restrictions(self) -> Mapping[str, Restriction]:
        """All restrictions."""
        return cast("Mapping[str, Restriction]", self.values["restrict"])

    @property
    def data(self) -> Mapping[str, Data]:
        """All shipped records."""
        return cast("Mapping[str, Data]", self.values["data"])

    @property
    def migrations(self) -> Mapping[str, Migration]:
        """The upgrade steps of addons, by addon and version."""
        return cast("Mapping[str, Migration]", self.values["migration"])

    @property
    def menus(self) -> Mapping[str, Menu]:
        """All menus."""
        return cast("Mapping[str, Menu]", self.values["menu"])

    @property
    def functions(self) -> Mapping[str, Function]:
        """All named functions."""
        return cast("Mapping[str, Function]", self.values["function"])

    @property
    def workflows(self) -> Mapping[str, Workflow]:
        """All workflows."""
        return cast("Mapping[str, Workflow]", self.values["workflow"])

    @property
    def agents(self) -> Mapping[str, Agent]:
        """All agents."""
        return cast("Mapping[str, Agent]", self.values["agent"])

    @property
    def scenarios(self) -> Mapping[str, Scenario]:
        """All scenarios."""
        return cast("Mapping[str, Scenario]", self.values["scenario"])

    @property
    def queries(self) -> Mapping[str, Query]:
        """All queries."""
        return cast("Mapping[str, Query]", self.values["query"])

    @property
    def reports(self) -> Mapping[str, Report]:
        """All reports."""
        return cast("Mapping[str, Report]", self.values["report"])

    @property
    def charts(self) -> Mapping[str, Chart]:
        """All charts."""
        return cast("Mapping[str, Chart]", self.values["chart"])

    @property
    def dashboards(self) -> Mapping[str, Dashboard]:
        """All dashboards."""
        return cast("Mapping[str, Dashboard]", self.values["dashboard"])

    @property
    def settings(self) -> Mapping[str, Setting]:
        """All settings."""
        return cast("Mapping[str, Setting]", self.values["setting"])

    @property
    def sequences(self) -> Mapping[str, Sequence]:
        """All sequences."""
        return cast("Mapping[str, Sequence]", self.values["sequence"])

    @property
    def templates(self) -> Mapping[str, Template]:
        """All templates."""
        return cast("Mapping[str, Template]", self.values["template"])

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
