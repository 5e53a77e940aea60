"""Removing parked things for good: a plan of one short transaction for each table, journalled like a promotion.

What went is remembered, so that a version that needs it is refused with that reason. Its entries in history go with it,
unless the setting `trash_history` keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, select

from core.bm import parked, settling
from core.bm.changes.seeds import Seeding
from core.bm.engine.run import Order, Say, silent
from core.bm.engine.steps import BOTH, BRIEF, Plan, Step
from core.bm.inputs import facts as fact_module
from core.bm.inputs.facts import Facts
from core.bm.parked import Parked
from core.bm.versions import live, tables
from core.bm.versions.state import State
from core.database import ddl
from core.errors import N_, NotFound, Refused, words

if TYPE_CHECKING:
    from core.plugins import Plugins
    from core.settings import Settings

DAILY = N_("the daily purge")           # who does it where nobody asked for it


def chosen(things: Iterable[Parked], names: Iterable[str], moment: datetime, now: bool = False) -> tuple[Parked, ...]:
    """What a purge is about: the named ones, or all that are parked long enough. Raises NotFound, Refused."""
    things, names = tuple(things), tuple(names)
    if not names:
        return tuple(one for one in things if one.ripe(moment))
    found = tuple(one for one in things if one.name in names)
    unknown = sorted(set(names) - {one.name for one in found})
    if unknown:
        raise NotFound('nothing is parked under the name "{name}"; see `parked`', name=unknown[0])
    young = [one for one in found if not one.ripe(moment)]
    if young and not now:
        raise Refused("{name} is kept until {day}; --now removes it before that", name=young[0].name,
                      day=f"{young[0].purge_from:%Y-%m-%d}")
    return found


def plan(connection: Connection, plugins: Plugins, things: Iterable[Parked], forget: bool) -> tuple[Plan, State]:
    """The plan of a purge, and the state that is live before and after it."""
    current, _ = live.current(connection)
    base = live.state(connection, current, plugins)
    facts = fact_module.gather(connection)
    things = tuple(things)
    steps = [Step(0, "stage", f"version {base.hash[:12]}", note=words("nothing changes but what is parked")),
             *_keys(things, facts), *_steps(connection, things, forget)]
    numbered = tuple(replace(step, number=number) for number, step in enumerate(steps, 1))
    return Plan(base.hash, base.hash, facts.fingerprint, steps=numbered if things else (), notes=tuple(
        words("{name} and all it holds is removed for good ({count} values)", name=one.name,
              count="?" if one.values is None else one.values) for one in things)), base


def _keys(things: Iterable[Parked], facts: Facts) -> Iterator[Step]:
    """Foreign keys of what stays into tables that go: what they hold stays, and leads to nothing."""
    going = {one.place for one in things if one.what == "table"}
    for name, target in sorted(facts.references.items()):
        source = facts.constraints.get(name, ("", False))[0]
        if target in going and source not in going:
            yield Step(0, "purge", source, (ddl.drop_constraint(name, source),), BOTH, "lossy",
                       note=words("foreign key {name} leads to a table that goes", name=name))


def _steps(connection: Connection, things: tuple[Parked, ...], forget: bool) -> Iterator[Step]:
    for place in sorted({one.place for one in things}):
        own = [one for one in things if one.place == place]
        whole = any(one.what == "table" for one in own)
        columns = sorted({name for one in own for name in one.columns})
        sql = (ddl.drop_table(place),) if whole else (ddl.drop_columns(place, columns),) if columns else ()
        storages = tuple(dict.fromkeys(storage for one in own for storage in one.storages))
        members = _members(connection, own)
        yield Step(0, "purge", ", ".join(one.name for one in own), sql, BRIEF, "lossy",
                   rows=sum(one.values or 0 for one in own), identities=storages,
                   note=words("removed for good, with all it holds"), data={
                       "how": "purge", "forget": forget, "members": members, "place": place,
                       "paths": {str(storage): [one.member, one.name] for one in own for storage in one.storages},
                       "kinds": [one.member for one in own if one.what == "kind"],
                       "records": [one.member for one in own if one.what in ("table", "kind")],
                       "fields": [one.member for one in own if one.what == "field"]})


def _members(connection: Connection, own: Iterable[Parked]) -> list[int]:
    """The members that go: fields, and tables with all that is parked in them."""
    found: list[int] = []
    for one in own:
        if one.what != "column":
            found.append(one.member)
        if one.what in ("table", "kind"):
            start = one.name + "."
            found += connection.scalars(select(tables.member.c.id).where(
                tables.member.c.state == "parked", tables.member.c.path.startswith(start, autoescape=True)))
    return sorted(set(found))


def as_text(planned: Plan) -> str:
    """The plan for a person to read before it is carried out."""
    lines = ["Removed for good:", "", *(f"  {note}" for note in planned.notes), "", "Steps:"]
    for step in planned.steps[1:]:
        lines += [f"  {step.number:>3}  {step.kind}  {step.target}", *(f"       {sql}" for sql in step.sql)]
    return "\n".join([*lines, "", "No version that needs any of it can come back after this.", ""])


def apply(engine: Engine, plugins: Plugins, planned: Plan, state: State, author: str = "", account: int | None = None,
          say: Say = silent) -> int:
    """Carry out the plan of a purge; gives the number of its journal. Raises Refused when it no longer fits."""
    order = Order(planned, state, state, None, Seeding(plugins), "", author, account, duty="purge")
    return settling.apply_beside(engine, order, say)


def purge_ripe(settings: Settings, engine: Engine, plugins: Plugins, moment: datetime) -> int | None:
    """Remove what has been parked long enough; the number of the journal, None if there is nothing."""
    with engine.connect() as connection:
        things = chosen(parked.parked(connection, settings), (), moment)
        if not things:
            return None
        planned, state = plan(connection, plugins, things, not settings.trash_history)
    return apply(engine, plugins, planned, state, DAILY)
