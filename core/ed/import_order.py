"""In what order rows are taken: what a row links to in the same file comes first; and which rows say a thing twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.ed import import_texts
from core.ed.mapping import ImportMapping
from core.ed.table_file import FileRow, TableFile

if TYPE_CHECKING:
    from core.definition.model import Table


def ordered(file: TableFile, mapping: ImportMapping, table: Table) -> list[list[FileRow]]:
    """The rows in waves: each needs only records of waves before it (or of none). It depends on the file alone."""
    links = [(name, source.by or "") for name, source in mapping.fields.items()
             if source.by in mapping.fields and table.fields[name].target in (table.name, table.root)]
    if not links:
        return [list(file.rows)]
    texts = import_texts.reader(file.header, mapping)
    said = [texts(row) if not row.problem else {} for row in file.rows]
    depths = _depths(said, links)
    waves: list[list[FileRow]] = [[] for _ in range(max(depths, default=0) + 1)]
    for row, depth in zip(file.rows, depths, strict=True):
        waves[depth].append(row)
    return [wave for wave in waves if wave]


def _depths(said: Sequence[dict[str, str | None]], links: Sequence[tuple[str, str]]) -> list[int]:
    """How many rows stand above each; in a circle the one met first comes first, and is then told what is missing."""
    place: dict[tuple[str, str], int] = {}
    for number, row in enumerate(said):
        for _, by in links:
            key = row.get(by)
            if key is not None:
                place.setdefault((by, key), number)
    depths = [-1] * len(said)
    for start in range(len(said)):
        path: set[int] = set()
        waiting = [start]
        while waiting:                                    # no recursion: a chain may be as long as the file
            number = waiting[-1]
            above = [place[by, name] for link, by in links
                     if (name := said[number].get(link)) is not None and (by, name) in place]
            open_ = [one for one in above if depths[one] < 0 and one not in path and one != number]
            if depths[number] >= 0:
                waiting.pop()
            elif open_ and number not in path:
                path.add(number)
                waiting += open_
            else:
                depths[number] = max((depths[one] + 1 for one in above if depths[one] >= 0), default=0)
                waiting.pop()
    return depths


def repeated(file: TableFile, mapping: ImportMapping) -> dict[int, int]:
    """Rows whose match was in an earlier row: their numbers, and that row's."""
    if not mapping.match or mapping.repeated == "merge":
        return {}
    if set(mapping.match) - mapping.fields.keys() or mapping.columns() - set(file.header):
        return {}                                         # the check of the mapping tells about it
    texts = import_texts.reader(file.header, mapping)
    first: dict[tuple[str | None, ...], int] = {}
    again: dict[int, int] = {}
    for row in file.rows:
        if row.problem:
            continue
        said = texts(row)
        key = tuple(said[name] for name in mapping.match)
        if None not in key and first.setdefault(key, row.number) != row.number:
            again[row.number] = first[key]
    return again
