"""Reports, charts and dashboards of the Model: what they read, what they show, and what a figure opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from core.definition.scope import Written

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.definition.queries import Query
    from core.types.base import Type

Unit = Literal["days", "weeks", "months", "quarters", "years"]
Total = Literal["sum", "average", "min", "max", "count", "computed"]
ChartType = Literal["bar", "column", "line", "area", "pie", "donut", "funnel", "gauge", "scatter", "heat"]


@dataclass(frozen=True, eq=False)
class Source:
    """Where figures come from: the rows of a query that a definition writes within itself.

    With keys it gives one row for each of their values, without keys one row, and without values the records. `given`
    are the parameters of the query that it reads: literals or expressions.
    """

    name: str
    rows: Query
    keys: tuple[str, ...] = ()
    given: Mapping[str, object] = field(default_factory=dict)

    @property
    def detail(self) -> bool:
        """Whether its rows are records, each on its own."""
        return self.rows.group is None

    @property
    def values(self) -> tuple[str, ...]:
        """The names of what it works out for each row."""
        return tuple(name for name in self.rows.columns if name not in self.keys)


@dataclass(frozen=True, eq=False)
class Span:
    """The values of a key that a report shows, whether or not there is something for them."""

    key: str
    start: object = None                # a literal or an expression
    end: object = None
    unit: Unit | None = None            # the step between two values
    count: int | None = None            # how many steps, if `end` is not said
    fill: bool = False


@dataclass(frozen=True, eq=False)
class Opens:
    """What a figure opens: a list of the records behind it."""

    list: str | None = None             # None: the list of the source's table
    source: str | None = None           # None: the one that the figure reads
    where: Written | None = None        # beside the source's own conditions and the row's keys


@dataclass(frozen=True)
class Format:
    """How a figure is written."""

    as_: Literal["number", "percent", "bar", "day", "week", "month", "quarter", "year"] | None = None
    decimals: int | None = None
    per: Literal["thousand", "ten_thousand", "million"] | None = None
    unit: str | None = None


@dataclass(frozen=True, eq=False)
class ReportColumn:
    """One column of a report."""

    name: str
    written: Written
    title: str | None = None            # None: that of the field it shows, or the name in words
    help: str = ""
    total: Total | None = None
    opens: Opens = Opens()
    format: Format = Format()
    hidden: bool = False

    @property
    def type(self) -> Type:
        """What it gives. Raises ExpressionError."""
        return self.written.expression.type


@dataclass(frozen=True)
class Pivot:
    """A report turned into a cross table; all are names of columns."""

    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """How the rows of a report are laid out."""

    sections: tuple[str, ...] = ()      # columns whose values are headings, with totals below
    pivot: Pivot | None = None
    paper: Literal["portrait", "landscape"] = "portrait"


@dataclass(frozen=True, eq=False)
class Report:
    """Sources joined on equal keys, and the columns that are shown of them."""

    name: str
    title: str
    sources: Mapping[str, Source]
    columns: Mapping[str, ReportColumn]
    help: str = ""
    about: str | None = None            # the parameter that is the record at hand
    roles: tuple[str, ...] = ()         # whom it is for; everybody if none are named
    area: str | None = None
    icon: str | None = None
    parameters: Mapping[str, Field] = field(default_factory=dict)
    spans: Mapping[str, Span] = field(default_factory=dict)
    order: tuple[str, ...] = ()         # names of columns; "-name" from high to low
    limit: int | None = None
    layout: Layout = Layout()
    formats: tuple[str, ...] = ()       # what it may be taken out as

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys on which its sources are joined."""
        return next((source.keys for source in self.sources.values() if source.keys), ())

    @property
    def detail(self) -> Source | None:
        """The source whose records are the rows, if there is one."""
        return next((source for source in self.sources.values() if source.detail), None)


@dataclass(frozen=True)
class Legend:
    """How a value of a chart is called and coloured."""

    title: str | None = None
    color: str | None = None


@dataclass(frozen=True, eq=False)
class Chart:
    """A picture of the rows of a report, or of a source of its own."""

    name: str
    title: str
    type: ChartType
    report: str | None                  # what it shows ...
    source: Source | None               # ... or this
    help: str = ""
    parameters: Mapping[str, Field] = field(default_factory=dict)
    given: Mapping[str, object] = field(default_factory=dict)       # the report's parameters
    x: str | None = None
    y: tuple[str, ...] = ()
    series: str | None = None
    stacked: bool = False
    cumulative: bool = False
    order: tuple[str, ...] = ()
    limit: int | None = None
    target: object = None               # literals or expressions
    least: object = None
    most: object = None
    legend: Mapping[str, Legend] = field(default_factory=dict)
    opens: Opens = Opens()


@dataclass(frozen=True, eq=False)
class Compare:
    """What a key figure is compared with: the same over other records, or another value."""

    source: Source                      # without keys, as that of the figure
    title: str


@dataclass(frozen=True, eq=False)
class Trend:
    """How a key figure went: its value in each of the last steps."""

    source: Source                      # with the one key `by`
    unit: Unit
    count: int


@dataclass(frozen=True, eq=False)
class Figure:
    """A key figure: one value, and what says whether it is good."""

    source: Source                      # without keys; its value is called `value`
    compare: Compare | None = None
    trend: Trend | None = None
    target: object = None
    good: Literal["more", "less"] = "more"
    opens: Opens = Opens()
    format: Format = Format()


@dataclass(frozen=True, eq=False)
class Tile:
    """One part of a dashboard: a chart, a report, a list, a key figure or a message."""

    name: str
    kind: Literal["chart", "report", "list", "kpi", "message"]
    shows: str = ""                     # the chart, report or list; or the message
    title: str | None = None            # None: that of what it shows
    figure: Figure | None = None
    where: Written | None = None        # the records of a list
    limit: int | None = None
    given: Mapping[str, object] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    width: int = 4
    height: int = 1
    new_row: bool = False


@dataclass(frozen=True, eq=False)
class Dashboard:
    """Tiles beside and below each other, with parameters that they share."""

    name: str
    title: str
    tiles: Mapping[str, Tile]
    help: str = ""
    roles: tuple[str, ...] = ()
    home: bool = False
    area: str | None = None
    icon: str | None = None
    parameters: Mapping[str, Field] = field(default_factory=dict)
