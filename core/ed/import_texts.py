"""What the cells of a file's rows say for each field, as text: bound once to a header and a mapping."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.ed.mapping import ImportMapping, Source, fill
from core.ed.table_file import FileRow

Texts = dict[str, str | None]


def reader(header: Sequence[str], mapping: ImportMapping) -> Callable[[FileRow], Texts]:
    """What reads a row: the text for each field, None where it says nothing. Needs no database."""
    places = {column: place for place, column in enumerate(header)}
    same = {name: _meaning(source, mapping)(",".join(source.value)) for name, source in mapping.fields.items()
            if source.value is not None}
    columns = [(name, places[source.column], _meaning(source, mapping)) for name, source in mapping.fields.items()
               if source.column is not None]
    made = {name: source.template for name, source in mapping.fields.items() if source.template}

    def read(row: FileRow) -> Texts:
        cells = row.cells
        found = {name: means(cells[place]) for name, place, means in columns}
        found.update(same)
        if made:
            filled = {**dict(zip(header, cells, strict=True)), **{name: text or "" for name, text in found.items()}}
            for name, template in made.items():
                found[name] = next((text for one in template if (text := fill(one, filled)) is not None), None)
        return found
    return read


def _meaning(source: Source, mapping: ImportMapping) -> Callable[[str], str | None]:
    values, nothing = source.values, frozenset((*source.nulls, *mapping.nulls, ""))
    if not values and len(nothing) == 1:
        return _plain

    def means(text: str) -> str | None:
        stripped = text.strip()
        if stripped in values:
            return values[stripped] or None
        return None if stripped in nothing else text
    return means


def _plain(text: str) -> str | None:
    return text if text and not text.isspace() else None
