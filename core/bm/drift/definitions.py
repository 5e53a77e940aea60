"""Drift in the stored definitions: what is addressed by its content has that content, and the journal agrees."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select, text

from core.bm.inputs.drifted import DEFINITIONS, Drifted
from core.bm.versions import live, tables
from core.bm.versions.canonical import canonical, digest
from core.bm.versions.state import State
from core.errors import Words, words

_NAMED = text("""
    select distinct n.hash from bm.version v cross join lateral (
        select jsonb_array_elements_text(v.manifest -> 'merged') union all
        select jsonb_array_elements_text(l -> 'definitions') from jsonb_array_elements(v.manifest -> 'layers') l
    ) n (hash) where v.id = :version""")
_FILES = text("""
    select f.key as path, f.value as hash, b.data from bm.version v cross join lateral
           jsonb_each_text(v.manifest -> 'files') f left join bm.blob b on b.hash = f.value where v.id = :version""")
_LAST = text("""
    select id, target from bm.promotion where state = any(:flipped) order by id desc limit 1""")


def compare(connection: Connection, state: State) -> Iterator[Drifted]:
    """Everything in which the stored live version is not what was promoted."""
    version = state.version
    if version is None:
        return
    yield from _definitions(connection, version)
    yield from _files(connection, version)
    yield from _version(connection, version)
    yield from _journal(connection, version)
    yield from _members(connection, state)


def _promote_again() -> Words:
    return words("bring it back from a backup, or promote the definitions of the folder anew under another version")


def _definitions(connection: Connection, version: int) -> Iterator[Drifted]:
    wanted = set(connection.scalars(_NAMED, {"version": version}))
    table = tables.definition
    for row in connection.execute(select(table).where(table.c.hash.in_(wanted))):
        wanted.discard(row.hash)
        said = {"format": row.format, "kind": row.kind, "name": row.name, "layer": row.layer, "body": row.body}
        found = digest(canonical(said, sort=False))
        if found != row.hash:
            yield Drifted(DEFINITIONS, "changed definition", f"{row.kind} {row.name}",
                          words("content {hash}", hash=row.hash[:12]), words("content {hash}", hash=found[:12]),
                          _promote_again(), stops=True)
    for hashed in sorted(wanted):
        yield Drifted(DEFINITIONS, "missing definition", hashed[:12], words("content {hash}", hash=hashed[:12]),
                      words("nothing"), _promote_again(), stops=True)


def _files(connection: Connection, version: int) -> Iterator[Drifted]:
    for row in connection.execute(_FILES, {"version": version}):
        if row.data is None or digest(bytes(row.data)) != row.hash:
            yield Drifted(DEFINITIONS, "missing file" if row.data is None else "changed file", row.path,
                          words("content {hash}", hash=row.hash[:12]),
                          words("nothing") if row.data is None
                          else words("content {hash}", hash=digest(bytes(row.data))[:12]), _promote_again(), stops=True)


def _version(connection: Connection, version: int) -> Iterator[Drifted]:
    row = connection.execute(select(*tables.version.c["hash", "manifest"]).where(
        tables.version.c.id == version)).one_or_none()
    if row is None:
        return
    found = digest(canonical({"layers": row.manifest.get("layers"), "merged": row.manifest.get("merged")}))
    if found != row.hash:
        yield Drifted(DEFINITIONS, "changed version", f"version {version}", words("content {hash}", hash=row.hash[:12]),
                      words("content {hash}", hash=found[:12]), _promote_again(), stops=True)


def _journal(connection: Connection, version: int) -> Iterator[Drifted]:
    promoted = connection.scalar(select(tables.promotion.c.id).where(
        tables.promotion.c.target == version, tables.promotion.c.state.in_(live.FLIPPED)).limit(1))
    last = connection.execute(_LAST, {"flipped": list(live.FLIPPED)}).one_or_none()
    way = words("set bm.live back to the version of the last promotion, or find out who changed it")
    if promoted is None:
        yield Drifted(DEFINITIONS, "never promoted", f"version {version}", words("a version that was promoted"),
                      words("version {version} is live, and no promotion made it so", version=version), way, stops=True)
    elif last is not None and last.target != version:
        yield Drifted(DEFINITIONS, "not the last promotion", f"version {version}",
                      words("version {version}, of promotion {promotion}", version=last.target, promotion=last.id),
                      words("version {version}", version=version), way, stops=True)


def _members(connection: Connection, state: State) -> Iterator[Drifted]:
    there = {row.id: row for row in connection.execute(select(tables.member))}
    for path, identity in sorted(state.identities.items()):
        row = there.get(identity)
        found = "" if row is None else f"{row.path}: {row.state}"
        if found != f"{path}: live":
            yield Drifted(DEFINITIONS, "other state", path, f"{path}: live",
                          found or words("nothing"),
                          words("the next promotion writes it down again"))
