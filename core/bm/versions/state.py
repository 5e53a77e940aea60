"""A state: all definitions of one version with the identities of its tables and fields.

Identities are numbers that tables and fields get at their first promotion and keep through renames; physical
names, `_type` and parked values hang on them, never on a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from core.bm.versions.naming import MEMBERS

if TYPE_CHECKING:
    from core.definition.model import Field, Model
    from core.ed.schema import DesiredTable

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
    def wanted(self) -> dict[object, tuple[DesiredTable, ...]]:
        """What it needs in the database, by the physical names and homes for which that was worked out."""
        return {}

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
