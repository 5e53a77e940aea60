"""Until when a promotion can be taken back, and at what price: said before it is applied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from core.bm.changes.required import newly_required
from core.bm.versions.diff import Added, Changed, Property, Removed, Renamed
from core.errors import Words, words

if TYPE_CHECKING:
    from core.bm.inputs.way import Way
    from core.bm.versions.diff import Change

STORED = ("table", "field")


def way_back(way: Way) -> Iterator[Words]:
    """What `rollback` would do right after it, and what would change that."""
    if not way.base.hash:
        return                          # there is nothing before the first version
    gone = _named(way, Removed)
    if gone:
        yield words("until it is purged, in {days} days at the earliest, going back brings {things} with every "
                    "value; after that it is refused, and only a backup has them", things=gone,
                    days=way.facts.kept_days)
    else:
        yield words("it can be taken back at any time; the switch itself takes a moment")
    new = _named(way, Added)
    if new:
        yield words("what people enter in {things} meanwhile is put out of sight by going back, and returns when they "
                    "do", things=new)
    yield from _stricter(way)
    yield from _looser(way)
    if any(isinstance(change, Renamed) and change.kind in STORED for change in way.changes):
        yield words("names change back too; values stay where they are")
    if any(change.kind == "data" for change in way.changes):
        yield words("records that `data` brings in stay when one goes back")


def _named(way: Way, sort: type[Change]) -> str:
    """The tables and fields of one sort of change, one after the other."""
    return ", ".join(change.name for change in way.changes if isinstance(change, sort) and change.kind in STORED)


def _stricter(way: Way) -> Iterator[Words]:
    """What becomes required: taking it back takes the condition away, and loses nothing."""
    names = [one.path for one in newly_required(way.base, way.target)]
    if names:
        yield words("going back makes {fields} optional again, in milliseconds; what was filled in stays",
                    fields=", ".join(names))


def _looser(way: Way) -> Iterator[Words]:
    """What is allowed from now on, and would not be after going back."""
    optional = [change.name for change in way.changes if isinstance(change, Changed) and change.kind == "field"
                and any(one.path == "required" and one.before is True for one in change.properties)]
    if optional:
        yield words("records saved without {fields} meanwhile stay empty when one goes back, and are asked for it when "
                    "they are next saved", fields=", ".join(optional))
    unique = [change.name for change in way.changes if isinstance(change, Removed) and change.kind == "unique"]
    if unique:
        yield words("records that become equal meanwhile stop the way back, until they differ: {rules}",
                    rules=", ".join(unique))
    values = [change.name for change in way.changes if isinstance(change, Added)
              and change.kind in ("choice", "state")]
    if values:
        yield words("records that hold {values} when one goes back keep it, as a value that cannot be chosen any more",
                    values=", ".join(values))
    longer = [change.name for change in way.changes if isinstance(change, Changed) and change.kind == "field"
              and _raised(change.properties)]
    if longer:
        yield words("longer values entered in {fields} meanwhile stay, until they are next saved",
                    fields=", ".join(longer))


def _raised(properties: Iterable[Property]) -> bool:
    return any(one.path in ("max", "scale") and isinstance(one.before, int) and isinstance(one.after, int)
               and one.after > one.before for one in properties)
