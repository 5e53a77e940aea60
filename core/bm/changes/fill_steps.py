"""Steps that fill columns: one pass over each table, whatever fills them, with triggers that note what people write."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from core.bm.changes import fill_carried, fill_expressions, fill_linked, fill_returned, moving, retyping
from core.bm.changes.filling import Part, tracking
from core.bm.engine.steps import BATCHES, BRIEF, WRITERS, Step, risk_of
from core.bm.inputs.way import Way
from core.errors import words

Given = Callable[[Way], Iterator[tuple[str, Part]]]     # a physical table, and how columns of it are filled
# The first that knows a field fills it.
GIVEN: tuple[Given, ...] = (fill_expressions.given, retyping.given, fill_carried.given, fill_linked.given,
                           fill_returned.given)

ROWS_PER_SECOND = 10_000


def steps(way: Way) -> Iterator[Step]:
    """Triggers before the first batch, the batches, and after the flip what old requests still write."""
    found: dict[str, list[Part]] = {}
    known = set[str]()
    for given in GIVEN:
        for table, part in given(way):
            if part["path"] not in known:
                found.setdefault(table, []).append(part)
            known.add(part["path"])
    come = [*moving.moves(way)]
    for table, parts in sorted(found.items()):
        data = {"how": "columns", "table": table, "parts": parts,
                "without": sorted(one.type for one in come if one.into == table)}
        made, removed = tracking(table, parts)
        target = parts[0]["path"].partition(".")[0]
        fields = ", ".join(part["path"].partition(".")[2] for part in parts)
        rows = way.facts.rows.get(table, 0)
        yield Step(0, "expand", target, tuple(made), WRITERS, "additive", rows, 0.01, undo=tuple(removed),
                   note=words("what is written meanwhile is noted, for {fields}", fields=fields))
        yield Step(0, "fill", target, lock=BATCHES, risk=risk_of(rows), rows=rows,
                   seconds=round(rows / ROWS_PER_SECOND, 2),
                   note=words("values of {fields}, beside the people who write", fields=fields),
                   data=data)
        yield Step(0, "settle", target, tuple(removed), BRIEF,
                   note=words("what old requests wrote since the flip is filled"),
                   data=data)
