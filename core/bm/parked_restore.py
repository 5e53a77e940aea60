"""Bringing back what is parked: its definition, as it last was, is written into the site's folder.

The next plan takes its values back with it. Nothing that the folder says is overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from sqlalchemy import Connection, Engine, text

from core.bm import parked
from core.bm.parked import Parked
from core.bm.versions import live
from core.definition import load
from core.definition.replacing import replace_files
from core.definition.rewriting import document
from core.definition.values import value_at
from core.errors import NotFound, Refused

if TYPE_CHECKING:
    from core.definition import Definition, Loaded
    from core.plugins import Plugins
    from core.settings import Settings

FOLDER = "restored"
_LAST = text("""
    select v.id, i.key as path from bm.version v
      join bm.promotion p on p.target = v.id and p.state in ('flipped', 'done'), jsonb_each_text(v.identities) i
     where i.value::bigint = :member order by p.id desc limit 1""")


def restore(settings: Settings, engine: Engine, plugins: Plugins, name: str) -> Path:
    """Write the definition of a parked table or field into the folder; gives the file. Raises NotFound, Refused."""
    with engine.connect() as connection:
        thing = _named(parked.parked(connection, settings), name)
        path, body = _last(connection, plugins, thing)
    loaded = load(settings.addon_folders, settings.metadata, plugins)
    loaded.must()
    table, _, field = path.partition(".")
    there = loaded.merge.merged.get(("table", table))
    if not field:
        if there is not None:
            raise Refused('the definitions have a table "{name}" already', name=table)
        return _write(settings, f"{table}.yaml", {"table": table, **body})
    if there is None:
        raise Refused('there is no table "{name}" now; restore that first', name=table)
    if value_at(there.body, ("fields", field)) is not None:
        raise Refused('the definitions have a field "{name}" already', name=path)
    changed = _clear(settings, loaded, table, field) or _into_own(settings, loaded, table, field, body)
    if changed is not None:
        return changed
    return _write(settings, f"{table}_{field}.yaml", {"change": f"table {table}", "fields": {field: body}})


def _named(things: tuple[Parked, ...], name: str) -> Parked:
    found = [one for one in things if one.name == name and one.what != "column"]
    if not found:
        if any(one.name == name for one in things):
            raise Refused("{name} is there; what is parked is a column that it had before: go back to a version that "
                          "used it", name=name)
        raise NotFound('nothing is parked under the name "{name}"; see `parked`', name=name)
    return max(found, key=lambda one: one.parked_on)


def _last(connection: Connection, plugins: Plugins, thing: Parked) -> tuple[str, Mapping[str, Any]]:
    """Under which path a member was last, and what the layers said of it then, merged."""
    row = connection.execute(_LAST, {"member": thing.member}).one_or_none()
    if row is None:
        raise Refused("no version has {name} any more", name=thing.name)
    model = live.load(connection, row.id, plugins)
    table, _, field = row.path.partition(".")
    merged = model.definitions.get(("table", table))
    body = None if merged is None else value_at(merged.body, ("fields", field) if field else ())
    if not isinstance(body, Mapping):
        raise Refused("the definition of {name} is not stored in a way that can be written; write it by hand",
                      name=thing.name)
    return row.path, {key: value for key, value in body.items() if key not in ("was", "fresh")}


def _clear(settings: Settings, loaded: Loaded, table: str, field: str) -> Path | None:
    """Where the site only says that a field of an addon goes, that is taken back; the file, or None."""
    for one in loaded.layers[-1].definitions:
        fields = one.body.get("fields")
        if (one.kind, one.name) == ("table", table) and isinstance(fields, Mapping) and field in fields:
            path = _file(settings, loaded, one)
            if path is None:
                raise Refused('{file} says that "{name}" goes; take that away', file=one.mark().file, name=field)
            said = document(str(path), path.read_text(encoding="utf-8"))
            said.remove(("fields", field))
            replace_files(settings.metadata, {path: None if said.bare else said.text})
            return path
    return None


def _into_own(settings: Settings, loaded: Loaded, table: str, field: str, body: Mapping[str, Any]) -> Path | None:
    """A field of a table that is the site's own goes into the file of the table: a change cannot stand before it."""
    for one in loaded.layers[-1].definitions:
        if (one.kind, one.name, one.change) == ("table", table, False):
            path = _file(settings, loaded, one)
            if path is None:
                return None
            said = document(str(path), path.read_text(encoding="utf-8"))
            said.set(("fields", field), _plain(body))
            replace_files(settings.metadata, {path: said.text})
            return path
    return None


def _file(settings: Settings, loaded: Loaded, one: Definition) -> Path | None:
    """Where a definition of the site stands."""
    name = one.mark().file.split("/", 1)[-1]
    return next((path for path in (settings.metadata / file for file in loaded.layers[-1].files)
                 if path.is_file() and str(path).endswith(name)), None)


def _write(settings: Settings, name: str, body: Mapping[str, Any]) -> Path:
    path = settings.metadata / FOLDER / name
    if path.exists():
        raise Refused("{file} is there already", file=str(path))
    said = yaml.safe_dump(_plain(body), allow_unicode=True, sort_keys=False, width=120)
    replace_files(settings.metadata, {path: said})
    return path


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
