"""`schema`: JSON Schemas of all kinds of definitions, for editors; needs no database."""

from __future__ import annotations

import json
from pathlib import Path

import click

from core.cli import Invocation
from core.definition import Layer
from core.definition.json_schema import Json, Known, Language, editor_settings, schemas

SETTINGS = "settings.json"


@click.command("schema")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.pass_obj
def command(invocation: Invocation, folder: Path) -> None:
    """Write a JSON Schema for each kind of definition into DIR, and settings.json, which tells an editor of them.

    The names of this site's tables, roles, fields and so on are offered where they fit. Raises DefinitionError if an
    addon's plugin.py cannot be loaded.
    """
    sources = invocation.sources()
    plugins, layers = sources.plugins, sources.load().layers
    language = Language(plugins.kinds, plugins.field_types, plugins.verbs)
    folder.mkdir(parents=True, exist_ok=True)
    written = schemas(language, known(layers))
    for name, schema in {**written, SETTINGS: editor_settings(language, folder.as_posix())}.items():
        _write(folder / name, schema)
    click.echo(f"{len(written)} schemas are in {folder}; {folder / SETTINGS} is what an editor needs to know of them")


def known(layers: tuple[Layer, ...]) -> Known:
    """The names that the definitions of all layers bring, those with errors too."""
    names: dict[str, set[str]] = {}
    fields: set[str] = set()
    for definition in (one for layer in layers for one in layer.definitions):
        names.setdefault(definition.kind, set()).add(definition.name)
        said = definition.body.get("fields")
        if definition.kind in ("table", "mixin") and isinstance(said, dict):
            fields.update(said)
    return Known({kind: sorted(found) for kind, found in names.items()}, sorted(fields))


def _write(path: Path, schema: Json) -> None:
    path.write_text(json.dumps(schema, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
