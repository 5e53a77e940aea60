"""Drift: three views of a live system beside each other: what live should have, what is there, and the way out.

Looking changes nothing. What somebody did by hand is never written over: no promotion runs while it stands, until it is
undone or adopted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.dialects.postgresql import insert

from core.bm.drift import definitions as drift_definitions
from core.bm.drift import tables as drift_tables
from core.bm.engine import journal
from core.bm.inputs import facts as fact_module
from core.bm.inputs.drifted import FOLDER, Drifted
from core.bm.inputs.facts import Facts
from core.bm.versions import folder, live, tables
from core.bm.versions.state import State
from core.definition import load
from core.errors import NotFound, Refused, Words, words

if TYPE_CHECKING:
    from core.plugins import Plugins
    from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Drift:
    """What is not as it should be, and what was told to stay."""

    findings: tuple[Drifted, ...]
    adopted: tuple[Drifted, ...] = ()

    @property
    def none(self) -> bool:
        """Whether all is as it should be."""
        return not self.findings


def drift(settings: Settings, engine: Engine, plugins: Plugins) -> Drift:
    """All three views. Raises Refused while a promotion is under way, for then the tables are on their way."""
    with engine.connect() as connection:
        journal.must_be_idle(connection)
        current, _ = live.current(connection)
        base = live.state(connection, current, plugins)
        found = inside(connection, base, fact_module.gather(connection))
        beside = tuple(_folder(settings, connection, base, plugins))
    return Drift((*found.findings, *beside), found.adopted)


def stopping(connection: Connection, base: State, facts: Facts) -> tuple[Words, ...]:
    """Why nothing may be promoted now: what somebody changed by hand, each as a sentence."""
    if base.model is None:
        return ()
    return tuple(one.sentence() for one in inside(connection, base, facts).findings if one.stops)


def adopt(engine: Engine, names: Iterable[str], plugins: Plugins, author: str = "") -> tuple[Drifted, ...]:
    """Let things stay that somebody added by hand: promotions leave them alone. Raises NotFound, Refused."""
    with engine.begin() as connection:
        current, _ = live.current(connection)
        findings = inside(connection, live.state(connection, current, plugins),
                           fact_module.gather(connection)).findings
        chosen = [_named(findings, name) for name in names]
        for one in chosen:
            if not one.adoptable:
                raise Refused("{name}: what is there cannot stay ({what}); {way_out}", name=one.name,
                              what=words(one.what), way_out=one.way_out)
            values = {"found": str(one.found), "by_name": author, "adopted_on": func.now()}
            connection.execute(insert(tables.adopted).values(what=one.what, name=one.name, **values)
                               .on_conflict_do_update(index_elements=["what", "name"], set_=values))
    return tuple(chosen)


def inside(connection: Connection, base: State, facts: Facts) -> Drift:
    """The views of the database alone, without what was told to stay."""
    if base.model is None:
        return Drift(())
    found = (*drift_tables.compare(base, facts, drift_tables.Catalog.read(connection)),
             *drift_definitions.compare(connection, base))
    kept = {(row.what, row.name): row.found for row in connection.execute(select(tables.adopted))}
    stays = tuple(one for one in found if one.adoptable and kept.get((one.what, one.name)) == str(one.found))
    return Drift(tuple(one for one in found if one not in stays), stays)


def _named(findings: Iterable[Drifted], name: str) -> Drifted:
    found = next((one for one in findings if one.name == name), None)
    if found is None:
        raise NotFound('there is no drift "{name}"; see `drift`', name=name)
    return found


def _folder(settings: Settings, connection: Connection, base: State, plugins: Plugins) -> Iterator[Drifted]:
    """The folder beside live: what it holds that live lacks, and what live has that it does not know of."""
    if base.version is None:
        return
    place = str(settings.metadata)
    hashed = folder.read_base(settings.metadata)
    known = live.find(connection, hashed) if hashed else None
    if known is not None and known != base.version and base.version not in live.ancestors(connection, known):
        yield Drifted(FOLDER, "live moved on", place, words("version {version}", version=base.version),
                      words("a folder that last equalled version {version}", version=known),
                      words("plan merges both; `pull` takes live's"))
    loaded = load(settings.addon_folders, settings.metadata, plugins)
    if loaded.problems:
        yield Drifted(FOLDER, "broken definitions", place, words("version {version}", version=base.version),
                      words("definitions with {count} problems", count=len(loaded.problems)), words("see `check`"))
        return
    if live.contents(loaded, plugins).hash == base.hash:
        return
    theirs = live.files(connection, base.version)
    ours = {path: data for layer in loaded.layers for path, data in layer.files.items()}
    differ = sorted(path for path in {*theirs, *ours} if theirs.get(path) != ours.get(path))
    yield Drifted(FOLDER, "unpromoted changes", place, words("version {version}", version=base.version),
                  words("other files: {files}", files=", ".join(differ)) if differ
                  else words("other releases of addons"), words("see `plan`; promote them, or `pull` live's"))
