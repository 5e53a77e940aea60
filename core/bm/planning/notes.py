"""What a person should know before saying yes to a plan."""

from __future__ import annotations

from collections.abc import Iterator

from core.bm.changes import migrations
from core.bm.changes.required import EMPTY, MAY_BE_EMPTY
from core.bm.changes.value_questions import HOLDS
from core.bm.inputs.facts import DUPLICATES, LONGER, VIOLATES, counted
from core.bm.inputs.questions import KEEP, LEAVE
from core.bm.inputs.way import Way
from core.bm.versions.diff import Removed, Returned, called
from core.errors import Words, words


def notes(way: Way) -> Iterator[Words]:
    """What is parked, what returns, what records keep."""
    base, facts = way.base, way.facts
    for change in way.changes:
        if isinstance(change, Removed) and change.kind in ("table", "field") and change.name in base.identities:
            yield _parking_note(change, facts.values.get(base.identities[change.name]))
        if isinstance(change, Returned):
            yield words("{what} returns with the values it had when it was removed",
                        what=called(change.kind, change.name))
    yield from _findings(way)


def _findings(way: Way) -> Iterator[Words]:
    """What records say that stops nothing: it counts when they are next saved."""
    for (what, name), found in sorted(way.facts.findings.items()):
        if what == VIOLATES:
            yield words("rule {name} is not met by {records}; it counts when they are next saved", name=name,
                        records=counted(found))
        if what in (EMPTY, MAY_BE_EMPTY) and way.answer("fill", name) in (None, LEAVE) and not _filled(way, name):
            yield words("{name} is required and empty in {records}; it is asked for when they are next saved",
                        name=name, records=counted(found))
        if what == HOLDS and way.answer("choices", name) in (None, KEEP):
            yield words("{name} is kept by {records}, as a value that cannot be chosen any more",
                        name=name, records=counted(found))
        if what == DUPLICATES and found.partial:
            yield words("{name}: the table is too large to look for equal records now; two would stop the promotion "
                        "before anything changes", name=name)
        if what == LONGER and way.back:
            yield words("{name} is exceeded by {records}; they keep what they have until they are next saved",
                        name=name, records=counted(found))


def _filled(way: Way, path: str) -> bool:
    """Whether the definition says what empty records get."""
    one = way.target.model.field(*path.split(".")) if way.target.model is not None else None
    return one is not None and one.required is True and path in migrations.said(way.base, way.target)


def _parking_note(change: Removed, values: int | None) -> Words:
    what = called(change.kind, change.name)
    if values is None:
        return words("{what} is parked: what it holds is kept, and returns when it does", what=what)
    if change.kind == "table":
        return words("{what} is parked: {count} records are kept, and return when it does", what=what, count=values)
    return words("{what} is parked: {count} values are kept, and return when it does", what=what, count=values)
