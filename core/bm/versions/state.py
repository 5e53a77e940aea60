"""A state: all definitions of one version with the identities of its tables and fields.

Identities are numbers that tables and fields get at their first promotion and keep through renames; physical
names, `_type` and parked values hang on them, never on a name.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from core.bm.versions import homes, meanings
from core.bm.versions.diff import MEMBERS

if TYPE_CHECKING:
    from core.definition.model import Field, Model

Key = tuple[str, str]           # kind, name


@dataclass(frozen=True, slots=True)
class Member:
    """A table or field as far as stored values go; `meaning` tells whether old values still make sense in it."""

    path: str                   # "company", "company.name"
    meaning: str                # "table", "kind party", "text", "link company", "choice stage many"
    parts: tuple[tuple[str, str], ...] = ()      # (part, PostgreSQL type); none: nothing is stored
    fresh: bool = False         # `fresh: true`: never take parked values back
    was: tuple[str, ...] = ()   # the names it had before


@dataclass(frozen=True)
class State:
    """One set of definitions, checked and merged; `hash` stands for all of it."""

    hash: str
    definitions: Mapping[Key, Mapping[str, Any]]
    members: Mapping[str, Member]
    identities: Mapping[str, int] = field(default_factory=dict)
    returning: frozenset[int] = frozenset()      # identities that were parked and come back
    model: Model | None = None
    version: int | None = None                   # its number in bm.version, once it is stored
    storages: Mapping[str, int] = field(default_factory=dict)       # where values stand, if not under the identity

    def storage(self, path: str) -> int:
        """Under which number the columns of a field, or the physical table of a base, are noted."""
        found = self.storages.get(path)
        return self.identities[path] if found is None else found

    @cached_property
    def paths(self) -> Mapping[int, str]:
        """The path of each storage id."""
        return {self.storage(path): path for path in self.identities}

    @cached_property
    def names(self) -> Mapping[int, str]:
        """The path of each identity."""
        return {identity: path for path, identity in self.identities.items()}

    def meaning(self, path: str) -> str:
        """What the stored values of a member mean, with tables by identity, so that renaming one changes nothing."""
        words = self.members[path].meaning.split()
        if words[0] in ("link", "kind"):
            words[1:] = [str(self.identities.get(word, word)) for word in words[1:]]
        return " ".join(words)

    def place(self, kind: str, name: str) -> str:
        """Where a definition or member stands, as file:line:column; "" when that is not known."""
        owner, _, member = name.partition(".")
        collections = {word: (holder, key) for holder, words in MEMBERS.items() for key, word in words.items()}
        holder, key = collections.get(kind, (kind, ""))
        merged = self.model.definitions.get((holder, owner)) if self.model is not None else None
        if merged is None:
            return ""
        mark = merged.mark((key, member) if key else ())
        return f"{mark.file}:{mark.line}:{mark.column}" if mark.file else ""


EMPTY = State(hash="", definitions={}, members={})


@dataclass(frozen=True, slots=True)
class Parked:
    """A table or field that live lacks but whose columns are there; `new`: a promotion that broke off left it."""

    path: str
    identity: int
    meaning: str
    new: bool = False
    storage: int | None = None      # where its values stand, if not under its identity
    home: int | None = None         # of a field: the storage id of the physical table that has its columns


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
    waiting = {(one.path, one.meaning): one for one in parked}
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
        old = None if member.fresh else waiting.get((path, state.meaning(path)))
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
            if path in left and left[path] != homes.home(state, path):     # its columns are in a table that was left
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


def state_of(model: Model, set_hash: str, identities: Mapping[str, int] | None = None,
             version: int | None = None, storages: Mapping[str, int] | None = None) -> State:
    """Make the state of a checked set of definitions."""
    return State(hash=set_hash, definitions={key: merged.body for key, merged in model.definitions.items()},
                 members=_members(model), identities=identities or {}, model=model, version=version,
                 storages=storages or {})


def _members(model: Model) -> dict[str, Member]:
    """Every table and field that has an identity: tables first, so that links can name them."""
    members = {name: Member(name, f"kind {table.root}" if table.base else "table", was=table.was)
               for name, table in model.tables.items()}
    for table in model.tables.values():
        for one in table.own.values():
            path = f"{table.name}.{one.name}"
            members[path] = Member(path, _meaning(one), _parts(one), one.fresh, one.was)
    return members


def _parts(one: Field) -> tuple[tuple[str, str], ...]:
    return () if one.virtual else tuple((part.name, part.column) for part in one.type.parts(one.properties))


def _meaning(one: Field) -> str:
    words = [one.type.name]
    if one.type.name == "state":        # whose choices core makes: a renamed table changes nothing
        return "state"
    words += [value for key in ("to", "of") if isinstance(value := getattr(one.properties, key, None), str)]
    words += sorted(one.targets) if len(one.targets) > 1 else []
    words += ["many"] if one.many else []
    words += ["formula"] if one.formula is not None else []
    return " ".join(words)
