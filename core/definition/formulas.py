"""Formulas that read each other in a circle: found before anybody waits for their value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.definition.building import Building
from core.definition.circles import circle_of, spelled
from core.definition.scope import Names
from core.expression import ExpressionError

Graph = dict[str, frozenset[str]]       # "table.field" -> the formula fields it reads


def check_formulas(building: Building) -> None:
    """Tell every circle once, at the formula whose name comes first."""
    graph = read_graph(building.names, building.names.tables)
    for start in sorted(graph):
        circle = circle_of(start, lambda formula: sorted(graph.get(formula, ())))
        if circle and start == min(circle):
            table, _, name = start.partition(".")
            kind, _, source = building.names.tables[table].fields[name].path.partition(".")[0].partition(" ")
            building.tell(building.merged[kind, source], ("fields", name, "formula"),
                          "formulas go round in a circle: " + spelled(circle))


def read_graph(names: Names, tables: Iterable[str]) -> Graph:
    """Which formula fields each formula field of these tables reads."""
    graph = {}
    for table in (names.tables[name] for name in tables):
        for field in table.own.values():
            if "formula" not in field.written:
                continue
            try:
                reads = field.formula.reads if field.formula is not None else frozenset()
            except ExpressionError:         # told where the expression stands
                continue
            graph[f"{table.name}.{field.name}"] = frozenset(
                found for path in reads for found in _formulas(names, table.name, path))
    return graph


def _formulas(names: Names, table: str, path: Iterable[str]) -> Iterator[str]:
    """The formula fields on a path that an expression reads."""
    parts = list(path)
    if parts[:1] == ["all"]:
        table, parts = parts[1], parts[2:]
    current: str | None = table
    for part in parts:
        field = names.field(current, part) if current else None
        if field is None:
            return
        if "formula" in field.written:
            yield f"{field.table}.{field.name}"
        current = field.target
