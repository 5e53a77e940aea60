"""Versions in the database: content-addressed, immutable, and one row that says which is live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, exists, func, select, text
from sqlalchemy.dialects.postgresql import insert

from core.bm.versions import tables
from core.bm.versions.canonical import canonical, digest
from core.bm.versions.homes import foreign_roots
from core.bm.versions.state import EMPTY, State, state_of
from core.definition.rows import Row, Rows
from core.definition.values import Definition, Merged
from core.ed import former_names
from core.ed.schema import NO_STORAGES
from core.ed.system import System, load_physical
from core.errors import NotFound, Refused

if TYPE_CHECKING:
    from core.definition import Loaded
    from core.definition.model import Model
    from core.plugins import Plugins


@dataclass(frozen=True, slots=True)
class Version:
    """One version as a list of versions shows it."""

    id: int
    hash: str
    parent: int | None
    message: str
    author: str
    created_on: datetime
    live: bool


@dataclass(frozen=True)
class Contents:
    """What a version holds, as rows to store: definitions by hash, source files by hash, and the manifest."""

    hash: str
    manifest: Mapping[str, Any]
    definitions: Mapping[str, Mapping[str, Any]]
    blobs: Mapping[str, bytes]
    code: Mapping[str, str]


def contents(loaded: Loaded, plugins: Plugins) -> Contents:
    """Address everything in a checked set by its content; where a thing stands and comments are no content.

    Raises DefinitionError for a set with problems.
    """
    model = loaded.must()
    definitions: dict[str, Mapping[str, Any]] = {}
    layers = []
    for layer in loaded.layers:
        hashes = [_address(_row(one), definitions) for one in layer.definitions]
        layers.append({"name": layer.name, "version": layer.version, "definitions": hashes})
    merged = [_address(_merged_row(one), definitions) for one in model.definitions.values()]
    files = {path: digest(data) for layer in loaded.layers for path, data in layer.files.items()}
    blobs = {digest(data): data for layer in loaded.layers for data in layer.files.values()}
    meaning = {"layers": layers, "merged": merged}
    installed = {addon.name for addon in model.addons}
    code = {addon: hashed for addon, hashed in plugins.code.items() if addon in installed}
    return Contents(digest(canonical(meaning)), {**meaning, "files": files}, definitions, blobs, code)


def _address(row: Mapping[str, Any], found: dict[str, Mapping[str, Any]]) -> str:
    hashed = digest(canonical(row, sort=False))
    found[hashed] = row
    return hashed


def _row(one: Definition) -> dict[str, Any]:
    body = {"change": True, "body": one.body} if one.change else one.body
    return {"format": one.format, "kind": one.kind, "name": one.name, "layer": one.layer, "body": body}


def _merged_row(one: Merged) -> dict[str, Any]:
    # layer "" tells a merged definition from the one a layer wrote under the same name
    return {"format": one.format, "kind": one.kind, "name": one.name, "layer": "",
            "body": {"layer": one.layer, "hash": one.hash, "body": one.body}}


def store(connection: Connection, what: Contents, identities: Mapping[str, int], parent: int | None = None,
          message: str = "", author: str = "", storages: Mapping[str, int] = NO_STORAGES) -> int:
    """Write a version that is not there yet and give its number; nothing in use is touched.

    A version that was stored but never live (its promotion broke off) takes these identities and storage ids.
    """
    known = connection.scalar(select(tables.version.c.id).where(tables.version.c.hash == what.hash))
    if known is not None:
        connection.execute(tables.version.update().values(
            identities=dict(identities), storage=dict(storages), parent=parent, message=message, author=author,
            created_on=func.now()).where(tables.version.c.id == known, ~_was_live))
        return int(known)
    _insert(connection, tables.definition, [{"hash": hashed, **row} for hashed, row in what.definitions.items()])
    _insert(connection, tables.blob, [{"hash": hashed, "data": data} for hashed, data in what.blobs.items()])
    values = {"hash": what.hash, "parent": parent, "manifest": what.manifest, "identities": dict(identities),
              "storage": dict(storages), "code": dict(what.code), "message": message, "author": author}
    statement = insert(tables.version).values(values).returning(tables.version.c.id)
    return int(connection.execute(statement).scalar_one())


def _insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), 500):
        connection.execute(insert(table).on_conflict_do_nothing(), rows[start:start + 500])


def current(connection: Connection) -> tuple[int, int]:
    """The live version and the epoch of live-owned things; version 0 when nothing was promoted yet."""
    row = connection.execute(select(tables.live.c.version, tables.live.c.epoch)).one()
    return row.version or 0, row.epoch


def raise_epoch(connection: Connection) -> None:
    """Tell every process that something live-owned changed."""
    connection.execute(tables.live.update().values(epoch=tables.live.c.epoch + 1))


FLIPPED = ("flipped", "done")          # states of a promotion that changed what is live
_was_live = exists().where(tables.promotion.c.target == tables.version.c.id, tables.promotion.c.state.in_(FLIPPED))

_MERGED = text("""
    select d.kind, d.name, d.format, (d.body -> 'body')::text as body, d.body ->> 'layer' as layer,
           d.body ->> 'hash' as hash
      from bm.version v
     cross join lateral jsonb_array_elements_text(v.manifest -> 'merged') with ordinality m (hash, place)
      join bm.definition d on d.hash = m.hash
     where v.id = :version
     order by m.place""")
_IDENTITIES = text("""
    select i.key, i.value::bigint as value from bm.version v, jsonb_each_text(v.identities) i where v.id = :version""")
_STORAGES = text("""
    select i.key, i.value::bigint as value from bm.version v, jsonb_each_text(v.storage) i where v.id = :version""")


def merged(connection: Connection, version: int) -> Rows:
    """The merged definitions of a version, in one statement; each is decoded when it is asked for."""
    return Rows(Row(row.kind, row.name, row.hash, row.layer, row.format, row.body)
                  for row in connection.execute(_MERGED, {"version": version}))


def load(connection: Connection, version: int, plugins: Plugins) -> Model:
    """Build the Model of a stored version. Raises NotFound; Refused, DefinitionError when this code cannot run it."""
    from core.definition import build
    _require_code(connection, version, plugins)
    found = merged(connection, version)
    if not found:
        raise NotFound("there is no version {version}", version=version)
    return build(found, plugins)


def _require_code(connection: Connection, version: int, plugins: Plugins) -> None:
    needed = connection.scalar(select(tables.version.c.code).where(tables.version.c.id == version)) or {}
    lacking = sorted(set(needed) - set(plugins.code))
    if lacking:
        raise Refused("version {version} needs the Python code (plugin.py) of: {addons}; it is not here",
                      version=version, addons=", ".join(lacking))


def system(connection: Connection, version: int, plugins: Plugins) -> System:
    """A stored version over this database, ready for sessions. Raises NotFound, DefinitionError, Refused."""
    found, stored = identities(connection, version), storages(connection, version)
    model = load(connection, version, plugins)
    foreign = foreign_roots(known_homes(connection), model, found, stored)
    return System(version, model, found, load_physical(connection), plugins, foreign, pending(connection), stored,
                  former_names.load(connection))


def known_homes(connection: Connection) -> list[tuple[int, int]]:
    """The tables, and the physical tables that keep records of theirs or once did, by identity and storage id."""
    member = tables.member.c
    rows = connection.execute(select(member.id, func.unnest(member.homes).label("home")).order_by(member.id))
    return [(row.id, row.home) for row in rows]


def pending(connection: Connection) -> frozenset[int]:
    """The stored formulas, by storage id, that are not worked out in all records yet."""
    return frozenset(connection.scalars(select(tables.physical.c.id).where(tables.physical.c.pending)))


def identities(connection: Connection, version: int) -> dict[str, int]:
    """The identity of every table and field of a version."""
    return {row.key: row.value for row in connection.execute(_IDENTITIES, {"version": version})}


def storages(connection: Connection, version: int) -> dict[str, int]:
    """Where values of a version stand under another number than the identity of their field."""
    return {row.key: row.value for row in connection.execute(_STORAGES, {"version": version})}


def state(connection: Connection, version: int | None, plugins: Plugins) -> State:
    """The state of a stored version; of none, the empty one."""
    if not version:
        return EMPTY
    hashed = connection.scalar(select(tables.version.c.hash).where(tables.version.c.id == version))
    if hashed is None:
        raise NotFound("there is no version {version}", version=version)
    return state_of(load(connection, version, plugins), hashed, identities(connection, version), version,
                    storages(connection, version))


def find(connection: Connection, hashed: str) -> int | None:
    """The number of the version with that hash, if it ever was live."""
    return connection.scalar(select(tables.version.c.id).where(tables.version.c.hash == hashed, _was_live))


def versions(connection: Connection, limit: int = 50) -> list[Version]:
    """The versions that were promoted, newest first."""
    statement = (
        select(*tables.version.c["id", "hash", "parent", "message", "author", "created_on"],
               (tables.version.c.id == tables.live.c.version).label("live"))
        .where(_was_live)
        .join_from(tables.version, tables.live, tables.live.c.one)
        .order_by(tables.version.c.id.desc()).limit(limit))
    return [Version(**{**row, "live": bool(row["live"])}) for row in connection.execute(statement).mappings()]


def previous(connection: Connection) -> int | None:
    """The version from which the present one was promoted."""
    version, _ = current(connection)
    return connection.scalar(
        select(tables.promotion.c.base)
        .where(tables.promotion.c.target == version, tables.promotion.c.state.in_(FLIPPED),
               tables.promotion.c.base.is_distinct_from(version),          # a purge changes no version
               tables.promotion.c.plan["back"].as_boolean().is_(False))
        .order_by(tables.promotion.c.id.desc()).limit(1))


def ancestors(connection: Connection, version: int) -> set[int]:
    """A version and those it was made from, back to the first."""
    rows = connection.execute(text("""
        with recursive line as (
            select id, parent from bm.version where id = :version
            union select v.id, v.parent from bm.version v join line on line.parent = v.id)
        select id from line"""), {"version": version})
    return set(rows.scalars())


def files(connection: Connection, version: int) -> dict[str, bytes]:
    """The source files of the site's layer as they were when the version was made, comments and all."""
    rows = connection.execute(text("""
        select f.key, b.data from bm.version v, jsonb_each_text(v.manifest -> 'files') f
          join bm.blob b on b.hash = f.value where v.id = :version order by f.key"""), {"version": version})
    return {path: bytes(data) for path, data in rows}
