"""What is told first, before all changes: rights that are widened, values that go out of sight, names that change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from core.bm.changes import migrations
from core.bm.changes.migrations import Fill, fills, typed
from core.bm.changes.rename_questions import FILLED
from core.bm.inputs.facts import GIVEN, counted
from core.bm.planning.seen import fields_on
from core.bm.versions.diff import Removed, Renamed, Returned, called, former_name
from core.ed.access import Gate
from core.ed.decisions import Decision, decisions
from core.ed.schema import name_all
from core.ed.session import Principals, closed_roles
from core.ed.system import System
from core.errors import N_, Words, words
from core.expression import ExpressionError

if TYPE_CHECKING:
    from core.bm.inputs.way import Way
    from core.bm.versions.state import State
    from core.definition.model import Model

MOST_NAMED = 8                  # fields or tables in one sentence
ORDER = ("never", "some", "always")
WIDENING = ("role", "restrict", "record role")      # changes after which all tables are looked at
USES: Mapping[str, str] = {"read": N_("read"), "change": N_("change"), "set": N_("set"), "create": N_("create"),
                           "delete": N_("delete"), "peek": N_("peek"), "export": N_("export")}


def warnings(way: Way) -> Iterator[Words]:
    """What stops a reader: each with how much it is about."""
    yield from _widened(way)
    yield from _given(way)
    yield from _copied(way)
    for change in way.changes:
        if isinstance(change, Returned):
            yield from _returned(way, change)
        elif isinstance(change, Removed) and change.name in way.base.identities and change.kind in ("table", "field"):
            yield from _out_of_sight(way, change)
        elif isinstance(change, Renamed) and change.kind in ("table", "field"):
            yield words("{what}: pages and the API say {name} from then on", what=change.describe(),
                        name=change.name.rpartition(".")[2])


def _out_of_sight(way: Way, change: Removed) -> Iterator[Words]:
    """A table or field that has values; of one without, or whose values go into others, there is nothing to tell."""
    if change.name in migrations.used_up(way.base, way.target):
        return
    found = way.facts.finding(FILLED, change.name)
    count = way.facts.values.get(way.base.identities[change.name], found.count)
    if count or found.partial:
        yield words("{what} goes out of sight; values in it: {count}, last changed on {day}; they are kept for {days} "
                    "days", what=called(change.kind, change.name), count=count, day=found.last or "?",
                    days=way.facts.kept_days)


def _returned(way: Way, change: Returned) -> Iterator[Words]:
    """Who may read what comes back: the grants of now, whatever they were when it went."""
    if way.target.model is None:
        return
    system = _system(way, way.target)
    table, _, field = change.name.partition(".")
    roles = [role for role in way.target.model.roles if any(
        one.field == field and one.use == "read" and one.verdict != "never"
        for one in _decisions(system, role, [table]))]
    yield words("{what} returns with its values; who may read it: {roles}", what=called(change.kind, change.name),
                roles=", ".join(sorted(roles)) or words("nobody"))


# Rights

def _widened(way: Way) -> Iterator[Words]:
    """What a role could not do, or only with some records, and can from now on; new roles nobody has yet."""
    if way.base.model is None or way.target.model is None:
        return
    tables = _tables(way)
    if not tables:
        return
    before, after = _system(way, way.base), _system(way, way.target)
    for role in way.target.model.roles:
        old = former_name("role", role, way.base, way.target)
        if old is not None and old in way.base.model.roles:
            yield from _of_role(way, role, before, after, old, tables)
            yield from _duties(role, way.base.model, way.target.model, old)


def _given(way: Way) -> Iterator[Words]:
    """Roles that people have as soon as they come, as they had one of that name before."""
    for (what, role), found in sorted(way.facts.findings.items()):
        if what == GIVEN:
            yield words("rights are widened: role {role} is given already, by {records}", role=role,
                        records=counted(found))


def _copied(way: Way) -> Iterator[Words]:
    """Values that get into a field of which a role may read more than of what they are worked out from."""
    if way.base.model is None or way.target.model is None:
        return
    systems = _system(way, way.base), _system(way, way.target)
    for fill in fills(way.base, way.target, way.answers):
        sources = _sources(way, systems[0], fill)
        for role in way.target.model.roles:
            old = former_name("role", role, way.base, way.target)
            if not sources or old is None or old not in way.base.model.roles:
                continue
            shown = _reads(systems[1], role, {(fill.table, fill.field.partition(".")[2])})
            before = _reads(systems[0], old, sources)
            hidden = sorted(f"{table}.{name}" for (table, name), verdict in before.items()
                            if ORDER.index(verdict) < max(map(ORDER.index, shown.values()), default=0))
            if hidden:
                yield words("rights are widened: {field} gets its values from what role {role} may read less of: "
                            "{named}", field=fill.field, role=role, named=", ".join(hidden[:MOST_NAMED]))


def _sources(way: Way, system: System, fill: Fill) -> set[tuple[str, str]]:
    """The fields that a fill reads, by table."""
    found: set[tuple[str, str]] = set()
    for piece in fill.pieces:
        try:
            pair = typed(way.base, way.target, fill, piece)
        except ExpressionError:
            continue                            # that is told
        for one in pair:
            found.update(*(fields_on(system.model, fill.before, path) for path in one.reads) if one is not None else ())
    return found


def _reads(system: System, role: str, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """How much a role may read of some fields."""
    return {(one.table, one.field): one.verdict for one in _decisions(system, role, {table for table, _ in wanted})
            if one.use == "read" and (one.table, one.field) in wanted}


def _tables(way: Way) -> list[str]:
    """The tables whose rights may differ: all, where roles changed, or names that rights are given by.

    Otherwise those whose own access changed.
    """
    base, target = way.models
    there = [name for name in target.tables if way.former(name) is not None]
    if any(change.kind in WIDENING or (isinstance(change, Renamed) and change.kind in ("table", "field"))
           for change in way.changes):
        return there
    return [name for name in there if _access(base, way.former(name) or "") != _access(target, name)]


def _access(model: Model, table: str) -> object:
    return model.definitions["table", table].body.get("access") if ("table", table) in model.definitions else None


def _of_role(way: Way, role: str, before: System, after: System, old: str, tables: list[str]) -> Iterator[Words]:
    former = partial(_name_before, way)
    names = [name for name in (former(table) for table in tables) if name]
    known = {(one.table, one.field, one.use): one.verdict for one in _decisions(before, old, names)}
    widened: dict[str, list[str]] = {}
    whole: set[tuple[str, str]] = set()
    for one in _decisions(after, role, tables):
        path = f"{one.table}.{one.field}" if one.field else one.table
        said = known.get((former(one.table), former(path).rpartition(".")[2] if one.field else "", one.use))
        if said is None or ORDER.index(one.verdict) <= ORDER.index(said):
            continue
        if not one.field:
            whole.add((one.table, one.use))
        if not one.field or (one.table, one.use) not in whole:
            widened.setdefault(one.use, []).append(path)
    for use, paths in widened.items():
        named = ", ".join(paths[:MOST_NAMED]) + (" ..." if len(paths) > MOST_NAMED else "")
        yield words("rights are widened: role {role} may {use} what it could not: {named} (places: {count})",
                    role=role, use=words(USES.get(use, use)), count=len(paths), named=named)


def _name_before(way: Way, path: str) -> str:
    """The path in the base of a table, or of a field wherever it is declared; "" if it was not there."""
    table, dot, name = path.partition(".")
    if not dot:
        return way.former(path) or ""
    one = way.target.model.field(table, name) if way.target.model is not None else None
    return (way.former(f"{one.table}.{one.name}") if one is not None else None) or f"{table}.{name}"


def _decisions(system: System, role: str, tables: Iterable[str]) -> Iterator[Decision]:
    found = system.model.roles[role]
    user = Principals(None, closed_roles(system.model, frozenset([role])), all=found.all)
    yield from decisions(Gate.of(system, user), tables)


def _duties(role: str, before: Model, after: Model, old: str) -> Iterator[Words]:
    new = sorted(after.roles[role].may - before.roles[old].may)
    if new:
        yield words("rights are widened: holders of role {role} may {duties} from then on", role=role,
                    duties=", ".join(new))


def _system(way: Way, state: State) -> System:
    """A state for the gate alone; no statement of it is run."""
    model = way.models[0] if state is way.base else way.models[1]
    names = name_all(model, state.identities, way.facts.physical, state.storages)
    return System(0, model, state.identities, names, storages=state.storages)
