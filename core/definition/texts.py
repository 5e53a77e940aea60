"""Texts of definitions: the `{path}` in them, their translations, and what stands in when none is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from core.definition.model import Model
    from core.definition.queries import Reading

TEXT_KEYS = frozenset({"title", "plural", "help", "message", "description", "prompt", "subject", "body", "confirm",
                       "submit", "stop"})
_PATH = re.compile(r"\{([a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*)\}")
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*")
_BRACE = re.compile(r"[{}]")


def text_paths(text: str) -> list[str]:
    """The paths that stand in braces in a text."""
    return _PATH.findall(text)


def text_places(text: str) -> list[tuple[int, str]]:
    """The paths that stand in braces in a text, each with the place where it begins."""
    return [(match.start(1), match[1]) for match in _PATH.finditer(text)]


def faults(text: str) -> Iterator[tuple[int, str]]:
    """Braces that hold no path, as column (from 1) and message."""
    rest = _PATH.sub(lambda match: "x" * len(match[0]), text)
    for match in _BRACE.finditer(rest):
        yield match.start() + 1, "braces in a text hold a path, such as {company.name}"
        return


def humanised(name: str) -> str:
    """A name as a title: close_date is "Close date"."""
    return name.replace("_", " ").strip().capitalize()


def text(model: Model, path: str, language: str) -> str:
    """The text at a path in a language; else as the definition says it; else made from the name."""
    texts = translations(model, language)
    paths = list(stand_ins(model, path))
    for candidate in paths:
        if texts.get(candidate):
            return texts[candidate]
    for candidate in paths:
        written = written_text(model, candidate)
        if written is not None:
            return written
    return _fallback(paths[-1])


def translations(model: Model, language: str) -> Mapping[str, str]:
    """All translated texts of a language by path."""
    found = model.values["translation"].get(language)
    return cast("Mapping[str, str]", found) if found is not None else {}


def written_text(model: Model, path: str) -> str | None:
    """The text a definition has at a path, in the language it is written in."""
    kind, name, parts = split(path)
    if kind == "form" and len(parts) == 2:
        return model.forms[name].titles.get(parts[0]) if name in model.forms else None
    if kind == "table" and parts == ["plural"]:
        return model.tables[name].plural if name in model.tables else None
    merged = model.definitions.get((kind, name))
    value: object = merged.body if merged else None
    for part in parts:
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def split(path: str) -> tuple[str, str, list[str]]:
    """A path as kind, name and the way to the text; in a form the ref of a node is one part, dots and all."""
    kind, _, rest = path.partition(" ")
    name, *parts = rest.split(".")
    if kind == "form" and len(parts) > 2:
        parts = [".".join(parts[:-1]), parts[-1]]
    return kind, name, parts


def stand_ins(model: Model, path: str) -> Iterator[str]:
    """The path, and those whose text stands in where nobody wrote one there."""
    yield path
    kind, name, parts = split(path)
    if kind == "table" and len(parts) > 1:
        yield from _inherited(model, name, ".".join(parts))
    elif kind == "list" and name in model.lists:
        yield from _of_list(model, name, parts)
    elif kind == "object" and name in model.objects and parts == ["title"]:
        thing = model.objects[name]
        yield f"query {thing.query}.title" if thing.query else f"table {thing.of}.plural"
    elif kind == "form":
        form = model.forms.get(name)
        table = form.of if form else name
        if parts == ["title"]:
            yield f"table {table}.title"
        elif len(parts) == 2 and table in model.tables and parts[0] in model.tables[table].fields:
            yield from stand_ins(model, f"table {table}.fields.{parts[0]}.title")
    elif kind == "query" and name in model.queries and parts[-3:-2] == ["columns"] and parts[-1] == "title":
        query = model.queries[name]
        yield from _of_rows(model, query if len(parts) == 3 else query.parts[parts[1]], parts[-2], path)
    elif parts[-1:] in (["title"], ["help"]):
        yield from _of_parameter(model, path)
        yield from _of_figures(model, kind, name, parts)


def _of_parameter(model: Model, path: str) -> Iterator[str]:
    """For the title of a parameter its prompt, then the texts of the field it is like."""
    kind, name, parts = split(path)
    merged = model.definitions.get((kind, name))
    said: object = merged.body if merged else None
    for part in parts[:-1]:
        said = said.get(part) if isinstance(said, dict) else None
    if isinstance(said, dict) and parts[-1] == "title" and "prompt" in said:
        yield path.rpartition(".")[0] + ".prompt"
    if isinstance(said, dict) and isinstance(said.get("like"), str) and "." in said["like"]:
        table, _, field = said["like"].partition(".")
        yield from stand_ins(model, f"table {table}.fields.{field}.{parts[-1]}")


def _of_list(model: Model, name: str, parts: list[str]) -> Iterator[str]:
    table, query = model.lists[name].of, model.lists[name].query
    if parts == ["title"]:
        yield f"query {query}.title" if query else f"table {table}.plural"
    elif len(parts) == 3 and parts[0] == "columns" and (rows := model.lists[name].rows) is not None:
        yield from _of_rows(model, rows, parts[1], f"list {name}.columns.{parts[1]}.title")
    elif len(parts) == 3 and parts[0] == "columns" and parts[1] in model.lists[name].columns:
        yield from _of_path(model, table, model.lists[name].columns[parts[1]].path)


def _of_rows(model: Model, reading: Reading, column: str, path: str) -> Iterator[str]:
    """For the title of a column of a query that of the column, or of the field, that it shows as it is."""
    titled = reading.titled(column)
    field = reading.field(column)
    if titled is not None and f"{titled.path}.title" != path:
        yield from stand_ins(model, f"{titled.path}.title")
    elif field is not None:
        yield from stand_ins(model, f"{field.path}.title")


def _of_path(model: Model, table: str, path: str) -> Iterator[str]:
    """The title of the field at the end of a path."""
    *links, last = path.split(".")
    for link in links:
        field = model.field(table, link)
        table = (field.target if field else None) or table
    yield from stand_ins(model, f"table {table}.fields.{last}.title")


def _of_figures(model: Model, kind: str, name: str, parts: list[str]) -> Iterator[str]:
    """For a column of a report its field's title, for a legend that of the column, for a tile that of what it shows."""
    match kind, parts:
        case "report", ["columns", column, "title"] if name in model.reports:
            report = model.reports[name]
            text = report.columns[column].written.source if column in report.columns else ""
            for source in report.sources.values():
                key = source.rows.columns[text].written.source if text in source.keys else ""
                path = text if source.detail else key
                if source.rows.table and _PLAIN.fullmatch(path):
                    yield from _of_path(model, source.rows.table, path)
                    return
        case "chart", ["legend", value, "title"] if name in model.charts:
            chart = model.charts[name]
            if chart.report and value in chart.y:
                yield from stand_ins(model, f"report {chart.report}.columns.{value}.title")
        case "dashboard", ["tiles", tile, "title"] if name in model.dashboards and tile in model.dashboards[name].tiles:
            shown = model.dashboards[name].tiles[tile]
            if shown.kind == "message":
                yield f"dashboard {name}.tiles.{tile}.message"
            elif shown.kind != "kpi":
                yield from stand_ins(model, f"{shown.kind} {shown.shows}.title")


def _inherited(model: Model, name: str, member: str) -> Iterator[str]:
    """The same member in the table's mixins, then in its base and the base's."""
    table = model.tables.get(name)
    while table is not None:
        if table.name != name:
            yield f"table {table.name}.{member}"
        for mixin in table.uses:
            yield f"mixin {mixin}.{member}"
        table = model.tables.get(table.base) if table.base else None


def _fallback(path: str) -> str:
    """What stands in for a text that nobody wrote: the name in words for a title, else nothing."""
    kind, name, parts = split(path)
    if (kind == "form" and len(parts) == 2) or parts[-1:] not in (["title"], ["plural"]):
        return ""
    return humanised(parts[-2] if len(parts) > 1 else name)
