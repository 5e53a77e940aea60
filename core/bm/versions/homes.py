"""Homes: in which physical table the records of a table stand, and when a promotion has to move them.

A home is the storage id of the table at the root. Records move when their table gets another base or loses it; so do
those of a base that had no kinds before and gets records from elsewhere: until the flip it must not show them, and its
own rows are not told apart from others where they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from core.bm.versions.diff import former_name

if TYPE_CHECKING:
    from core.bm.versions.state import Member, State
    from core.definition.model import Field, Model


def home(state: State, path: str) -> int:
    """Where the records of a table, or of the table of a field, stand."""
    return state.storage(_root(state, path.partition(".")[0]))


def homes(model: Model | None, identities: Mapping[str, int], storages: Mapping[str, int]) -> dict[int, int]:
    """The home of each table, by its identity; no table is built for it."""
    families = model.names.families if model is not None else {}
    return {identities[name]: storages.get(root, identities[root])
            for root, names in families.items() for name in names}


def needs_another(base: State, target: State, path: str) -> bool:
    """Whether a table at the root, which the base has, needs another physical table; tables have their identities."""
    former = base.names.get(target.identities[path])
    if former is None or base.model is None or target.model is None or _root(target, path) != path:
        return False
    if _root(base, former) != former:
        return True
    family = base.model.names.families[former]
    return len(family) == 1 and any(
        _root(base, before) != former for kind in target.model.names.families[path]
        if (before := base.names.get(target.identities[kind])) is not None)


def moves(base: State, target: State, former: str, path: str) -> bool:
    """Whether the values of a field stand in another physical table from now on; tables have their homes."""
    return bool(target.members[path].parts or base.members[former].parts) and home(base, former) != home(target, path)


def moving(base: State, target: State) -> Iterator[tuple[str, str]]:
    """The tables whose records go to another physical table, as they are called before and after."""
    for path in target.model.tables if base.model is not None and target.model is not None else ():
        former = base.names.get(target.identities[path])
        if former is not None and home(base, former) != home(target, path):
            yield former, path


def former_field(base: State, target: State, table: str, field: Field) -> Field | None:
    """What a table of the base has for a field of the target: the same one, or one of its name above or beneath."""
    fields = base.model.tables[table].fields if base.model is not None else {}
    identity = target.identities[_path(field)]
    same = fields.get(base.names.get(identity, "").partition(".")[2])
    if same is not None and base.identities[_path(same)] == identity:
        return same
    for name in (field.name, *field.was) if not field.fresh else ():
        found = fields.get(name)
        # Within one table its identity says what a field was.
        if found is not None and not found.virtual and base.identities[found.table] != target.identities[field.table] \
                and _alike(base, target, found, field):
            return found
    return None


def _path(field: Field) -> str:
    return f"{field.table}.{field.name}"


def _alike(base: State, target: State, before: Field, after: Field) -> bool:
    """Whether values of one are values of the other, in the same columns, leading to or chosen from the same."""
    return before.type.name == after.type.name and base.members[_path(before)].parts == target.members[
        _path(after)].parts and _ends(base, before) == _ends(target, after, base)


def _ends(state: State, field: Field, base: State | None = None) -> object:
    if field.targets:
        return tuple(sorted(state.identities[name] for name in field.targets if name in state.identities))
    of = getattr(field.properties, "of", None)
    return of if base is None or not isinstance(of, str) else former_name("choices", of, base, state) or of


def from_relative(member: Member, base: State, target: State, assigned: Mapping[str, int]) -> int | None:
    """The identity of a field that goes from a kind to its base or the other way, if it means the same there.

    The first table that gives it up hands on its identity. `target` has the identities of `assigned`.
    """
    if base.model is None or target.model is None:
        return None
    table, _, name = member.path.partition(".")
    taken = set(assigned.values())
    for relative in _relatives(target, table):
        owner = base.names.get(assigned[relative])
        for one in (name, *member.was) if owner is not None else ():
            former = base.members.get(f"{owner}.{one}")
            if former is None or f"{relative}.{one}" in target.members or base.identities[former.path] in taken:
                continue
            if former.parts == member.parts and base.meaning(former.path) == target.meaning(member.path):
                return base.identities[former.path]
    return None


def foreign_roots(known: Iterable[tuple[int, int]], model: Model | None, identities: Mapping[str, int],
                  storages: Mapping[str, int]) -> frozenset[int]:
    """The bases whose physical table keeps records of tables that are none of theirs; `known` are tables and homes."""
    own = homes(model, identities, storages)
    roots = {storages.get(root, identities[root]): identities[root]
             for root in (model.names.families if model is not None else ())}
    return frozenset(roots[at] for table, at in known if at in roots and own.get(table) != at)


def _root(state: State, table: str) -> str:
    found = state.model.tables[table] if state.model is not None else None
    return found.root or table if found is not None else table


def _relatives(state: State, table: str) -> Iterator[str]:
    """The tables under a table, then those above it."""
    model = state.model
    if model is None:
        return
    yield from (name for name in model.names.families[_root(state, table)]
                if name != table and model.names.is_kind_of(name, table))
    above = model.tables[table].base
    while above:
        yield above
        above = model.tables[above].base
