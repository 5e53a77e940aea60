"""Identities: every table and field of a version keeps its number, takes it back or gets a new one.

And a storage id of its own where its values may not stay in the columns they are in.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from core.bm.versions import choice_values, homes, meanings
from core.bm.versions.state import Member, Parked, State


def assign(base: State, target: State, parked: Iterable[Parked], first_new: int,
           answers: Mapping[str, str] = MappingProxyType({}), elsewhere: Container[str] = ()) -> State:
    """Give every table and field of the target its identity: kept, renamed, taken back or new, in this order.

    What keeps its identity, and whose values mean nothing where they stand (see `meanings.stays`) or are to stand
    `elsewhere`, gets a new storage id. Identities and storage ids of a target that has them already (a version seen
    before) are left alone.
    """
    parked = sorted(parked, key=lambda one: one.identity)
    if target.identities:
        kept = {one.identity for one in parked if not one.new}
        return replace(target, returning=frozenset(kept.intersection(target.identities.values())))
    waiting: dict[str, list[Parked]] = {}
    for one in parked:
        waiting.setdefault(one.path, []).insert(0, one)
    returning: set[int] = set()
    next_new = first_new
    identities: dict[str, int] = {}
    storages: dict[str, int] = {}
    left: dict[str, int] = {}
    state = replace(target, identities=identities, storages=storages)   # filled below; what is read is there by then
    for path, member in target.members.items():
        identity = _kept(member, base, target, identities)
        if identity is None and "." in path and not member.fresh:
            identity = homes.from_relative(member, base, state, identities)
        old = None if member.fresh else next(
            (one for one in waiting.get(path, ()) if choice_values.same(one.meaning, state, path)), None)
        if identity is None and old is not None:
            identity = old.identity
            returning.update(() if old.new else (identity,))
            storages.update({} if old.storage is None else {path: old.storage})
            left.update({} if old.home is None else {path: old.home})
        if identity is None:
            identity, next_new = next_new, next_new + 1
        identities[path] = identity
    for path, identity in identities.items():
        former = base.names.get(identity)
        if former is None:
            # its columns are in a table that was left
            if path in elsewhere or (path in left and left[path] != homes.home(state, path)):
                storages[path], next_new = next_new, next_new + 1
        elif homes.needs_another(base, state, path) if "." not in path else (
                path in elsewhere or homes.moves(base, state, former, path)
                or not meanings.stays(base, state, former, path, answers)):
            storages[path], next_new = next_new, next_new + 1
        elif former in base.storages:
            storages[path] = base.storages[former]
    return replace(target, identities=identities, returning=frozenset(returning), storages=storages)


def _kept(member: Member, base: State, target: State, assigned: Mapping[str, int]) -> int | None:
    """The identity that a member has in the base, under this name or one it had there."""
    table, dot, name = member.path.partition(".")
    if not dot:
        return _first(base.identities, (table, *member.was), target.members)
    owner = base.names.get(assigned[table])
    if owner is None:                       # a new table; a returning one takes its fields back by name
        return None
    if _given_up(member, owner, base, target):
        return None
    taken = {f"{owner}.{path[len(table) + 1:]}" for path, other in target.members.items()
             if path.startswith(table + ".") and not _given_up(other, owner, base, target)}
    return _first(base.identities, (f"{owner}.{name}", *(f"{owner}.{old}" for old in member.was)), taken)


def _given_up(member: Member, owner: str, base: State, target: State) -> bool:
    """True for a new field (`fresh`) that takes the name which another field gives up in this very promotion."""
    table, _, name = member.path.partition(".")
    return member.fresh and any(
        name in other.was and f"{owner}.{path.partition('.')[2]}" not in base.identities
        for path, other in target.members.items() if path.startswith(table + ".") and path != member.path)


def _first(identities: Mapping[str, int], paths: tuple[str, ...], taken: Container[str]) -> int | None:
    """The identity of the first path there is; a former name counts only when nothing else has it now."""
    name, *formers = paths
    if name in identities:
        return identities[name]
    return next((identities[old] for old in formers if old in identities and old not in taken), None)
