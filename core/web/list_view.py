"""A list as functions: each column bound to its widget once per version and language, then called for each record."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from core.web.binding import bind
from core.web.context import Viewer
from core.web.widgets.base import Reader
from core.web.widgets.registry import widget_of

if TYPE_CHECKING:
    from core.definition.model import Column, List
    from core.ed.grouping import Aggregate
    from core.ed.system import System

OPERATIONS: Mapping[str, str] = {"sum": "sum", "average": "avg", "min": "min", "max": "max", "count": "count"}


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column, ready to draw."""

    path: str
    title: str
    css: str
    sortable: bool
    cell: Reader
    opening: str                          # the <td> with its label, escaped once
    total: str | None = None              # what stands below it: sum, average, min, max, count
    nested: bool = False                  # lines: no column of a file


@dataclass(frozen=True, slots=True)
class FilterChip:
    """A named filter of the list."""

    name: str
    title: str
    default: bool
    group: str


@dataclass(frozen=True, slots=True)
class ListView:
    """A compiled list: which fields to read, and how to draw a row of them."""

    name: str
    of: str
    columns: tuple[ListColumn, ...]
    filters: tuple[FilterChip, ...]
    order: tuple[str, ...]
    needs: tuple[str, ...] = ()           # what widgets draw beside their own fields

    @property
    def fields(self) -> list[str]:
        """What the record service is asked for."""
        return list(dict.fromkeys([*(column.path for column in self.columns), *self.needs]))

    @property
    def totals(self) -> dict[str, Aggregate]:
        """What stands below the columns, for `grouping`: by `t` and the place of the column."""
        return {f"t{number}": (OPERATIONS[column.total], column.path)
                for number, column in enumerate(self.columns) if column.total is not None}

    def total(self, number: int, values: Mapping[str, Any], viewer: Viewer) -> str:
        """What stands below a column, as HTML."""
        column, value = self.columns[number], values.get(f"t{number}")
        if value is None:
            return ""
        return str(escape(f"{value:,}")) if column.total == "count" else column.cell({column.path: value}, viewer)

    def rows(self, records: Sequence[dict[str, Any]], base: str, viewer: Viewer, word: str, choose: str = "",
             depth: int = 0) -> Markup:
        """All rows of a page as one piece of HTML.

        With `choose`, each begins with a box to choose it by; `depth` is that of the group it stands in.
        """
        parts: list[str] = []
        add = parts.append
        columns = [(column.opening, column.cell) for column in self.columns]
        first_opening, first_cell = columns[0] if columns else ("<td>", _no_cell)
        home, nameless = escape(base), escape(word)
        link = f'<a class="t-record" href="{home}/'
        begin = f'<tr data-depth="{depth}" data-href="{home}/' if depth else f'<tr data-href="{home}/'
        box = ('<td class="t-choose"><input type="checkbox" class="form-check-input" name="id" form="many" '
               f'aria-label="{escape(choose)}" value="')
        for record in records:
            identity = record["id"]
            title = first_cell(record, viewer)
            if "<a " in title:
                title = _text_of(title)
            title = title or f"{nameless} {identity}"
            chosen = f'{box}{identity}"></td>' if choose else ""
            add(f'{begin}{identity}">{chosen}{first_opening}{link}{identity}">{title}</a></td>')
            for opening, cell in columns[1:]:
                add(opening)
                add(cell(record, viewer))
                add("</td>")
            add("</tr>")
        return Markup("".join(parts))  # noqa: S704  # each part is a literal, a number, or escaped by its widget


def list_view(system: System, name: str, table: str, language: str, readable: Collection[str],
              key: object, paths: tuple[str, ...] = ()) -> ListView:
    """The compiled form of a list for those who may read these fields; built on first use.

    `paths` are the columns that somebody chose; without any they are as the list says.
    """
    return system.cache.get(("list view", name, table, language, key, paths),
                            lambda: _compile(system, name, table, language, readable, paths))


def _compile(system: System, name: str, table: str, language: str, readable: Collection[str],
             paths: tuple[str, ...]) -> ListView:
    model = system.model
    definition: List = model.lists.get(name) or model.list_of(table)
    columns, needs = [], []
    for key, column in _chosen(definition, paths):
        if column.path.split(".")[0] not in readable:
            continue
        title = model.text(f"list {definition.name}.columns.{key}.title", language) if column.title else ""
        bound = bind(system, table, column.path, language, title or column.title or "", column.badge)
        if bound is None or (paths and bound.field.type.is_lines):
            continue
        widget = widget_of(system, bound.field)
        needs += [path for path in widget.needs(bound) if path in readable]
        css = " ".join(filter(None, ("t-num" if widget.numeric else "", f"t-{bound.field.type.name}")))
        opening = str(Markup('<td data-label="{}" class="{}">').format(bound.title, css))
        sortable = bound.field.type.sortable and not bound.field.many and not bound.field.type.is_lines
        columns.append(ListColumn(column.path, bound.title, css, sortable, widget.cell(bound), opening,
                                  column.total, bound.field.type.is_lines))
    chips = tuple(FilterChip(key, model.text(f"list {definition.name}.filters.{key}.title", language) or chip.title,
                             chip.default, chip.group or "") for key, chip in definition.filters.items())
    hidden = set(model.tables[table].fields) - set(readable)
    order = tuple(entry for entry in definition.order if entry.removeprefix("-").split(".")[0] not in hidden)
    return ListView(definition.name, table, tuple(columns), chips, order, tuple(needs))


def _chosen(definition: List, paths: tuple[str, ...]) -> Iterator[tuple[str, Column]]:
    """The columns to show; one that the list has too is as it says."""
    from core.definition.model import Column
    if not paths:
        yield from definition.columns.items()
        return
    own = {column.path: (key, column) for key, column in definition.columns.items()}
    for path in paths:
        yield own.get(path) or (path, Column(path, path))


def list_title(system: System, name: str, language: str) -> str:
    """What a list is called."""
    definition = system.model.lists[name]
    return system.model.text(f"list {name}.title", language) or definition.title


def _no_cell(record: Any, viewer: Viewer) -> str:
    return ""


def _text_of(html: str) -> str:
    """The visible text of a cell, escaped again: a link inside the row's own link would be two links in one."""
    return str(escape(Markup(html).striptags()))  # noqa: S704  # only to take its tags away; escaped after that
