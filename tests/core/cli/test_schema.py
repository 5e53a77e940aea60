"""`schema`: every file that is right fits the written schemas, and what is misspelt does not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from click.testing import CliRunner

from core.cli import group
from core.definition import yaml
from core.definition.files import NO_DEFINITIONS
from core.definition.json_schema import WORDS
from core.definition.kinds import BUILT_IN
from core.definition.kinds.verbs import BUILT_IN as VERBS

ROOT = Path(__file__).resolve().parents[3]
HERE = ("addons", "core/definition/samples", "metadata")
FILES = [path for folder in HERE for path in sorted((ROOT / folder).rglob("*.yaml"))
         if not NO_DEFINITIONS & set(path.relative_to(ROOT).parts)]
Body = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The schemas of a site with all shipped addons."""
    folder = tmp_path_factory.mktemp("schemas")
    site = folder / "site"
    site.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TESSERA_METADATA", str(site))
        result = CliRunner().invoke(group, ["schema", str(folder / "written")])
    assert result.exit_code == 0, result.output
    return folder / "written"


@pytest.fixture(scope="module")
def schemas(folder: Path) -> Mapping[str, Body]:
    return {path.name: json.loads(path.read_text()) for path in folder.glob("*.schema.json")}


@pytest.fixture(scope="module")
def validator(schemas: Mapping[str, Body]) -> Any:
    """The schema of all kinds, which sends each file to that of its own."""
    root = "tessera:///"
    registry = jsonschema_rs.Registry([(root + name, schema) for name, schema in schemas.items()])
    return jsonschema_rs.Draft7Validator({"$ref": root + "definition.schema.json"}, registry=registry)


def read(text: str) -> Body:
    body, _, problems = yaml.read(text.encode(), "test.yaml")
    assert not problems and isinstance(body, dict), problems
    return json.loads(json.dumps(body))                  # type: ignore[no-any-return]


def errors(validator: Any, text: str) -> list[str]:
    return [f"{'.'.join(map(str, error.instance_path))}: {error.message}" for error in
            validator.iter_errors(read(text))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_shipped_fits(validator: Any, path: Path) -> None:
    assert errors(validator, path.read_text()) == []


def test_each_kind_that_is_written_in_yaml_has_a_schema(schemas: Mapping[str, Body]) -> None:
    assert set(schemas) == {f"{kind.name}.schema.json" for kind in BUILT_IN if kind.suffix == ".yaml"} | {
        "definition.schema.json"}
    for schema in schemas.values():
        jsonschema_rs.meta.validate(schema)


WRONG = {
    "a property": "table: region\nfeilds: {name: {type: text}}\n",
    "a property of a field": "table: region\nfields: {name: {type: text, requried: true}}\n",
    "a property of another type": "table: region\nfields: {name: {type: text, scale: 2}}\n",
    "a type": "table: region\nfields: {name: {type: txt}}\n",
    "a name": "table: Region\n",
    "a kind": "tabel: region\n",
    "no list": "list: region\nof: region\ncolumns: {name: {}}\norder: name\n",
    "an expression with =": "list: region\nof: region\ncolumns: {name: {}}\nfilters: {mine: {where: =owner == user}}\n",
    "what must be there": "list: region\ncolumns: {name: {}}\n",
    "one of several words": "role: seller\nkind: outsider\n",
    "a right": "role: seller\ngrants: {region: {raed: true}}\n",
    "a column": "query: regions\nof: region\ncolumns: {name: {titel: Name}}\n",
    "a source": "report: regions\nsources: {all_of_them: {off: region}}\ncolumns: {name: {}}\n",
    "a chart": "chart: regions\ntype: pies\nsource: {of: region}\ny: [n]\n",
    "a tile": "dashboard: desk\ntiles: {one: {chart: regions, widht: 4}}\n",
    "a verb": "agent: tidy\nwhen: {call: true}\ndo: {one: {craete: region}}\n",
    "a property of another verb": "agent: tidy\nwhen: {call: true}\ndo: {one: {create: region, level: info}}\n",
    "a state": "workflow: deal\nof: deal\nstates: {open: {pahse: open}}\n",
    "a parameter": "function: twice\nparameters: {n: {type: integer, maxx: 3}}\nreturns: integer\nis: parameter.n * 2\n",
    "a setting": "setting: limit\ntype: money\ndefalt: 3\n",
    "a change of nothing": "change: region\n",
    "a change": "change: table region\nfields: {name: {requried: true}}\n",
    "a move": "change: table region\nfields: {name: {behind: code}}\n",
    "an edited list": "change: table region\npeek: {added: [name]}\n",
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_does_not_fit(validator: Any, what: str) -> None:
    assert errors(validator, WRONG[what])


CHANGES = {
    "null removes": "change: table region\nfields: {name: null, code: {title: null}}\ntitle: null\n",
    "members move": "change: table region\nfields: {name: {after: code}, code: {first: true}, size: {type: integer, "
                    "last: true}}\n",
    "lists are edited": "change: table region\npeek: {add: [name], remove: [code]}\nkeeps: [history]\n",
    "nothing must be there": "change: list region\ncolumns: {name: {total: count}}\n",
    "steps move": "change: agent tidy\ndo: {one: {before: two}, two: {with: {name: A}}, three: {message: Done, "
                  "after: two}}\n",
    "people are edited": "change: workflow deal\ntransitions: {open: {from: {add: [legal]}, who: {remove: [owner]}}}\n",
    "a key without a mapping": "change: query regions\ncolumns: {name: upper(name), code: null}\n",
}


@pytest.mark.parametrize("what", CHANGES)
def test_changes_say_only_what_differs(validator: Any, what: str) -> None:
    assert errors(validator, CHANGES[what]) == []


def test_names_that_are_there_are_offered_and_others_allowed(schemas: Mapping[str, Body], validator: Any) -> None:
    of = schemas["list.schema.json"]["else"]["properties"]["of"]
    assert {"company", "opportunity"} <= set(of["anyOf"][0]["enum"])
    change = schemas["table.schema.json"]["then"]["properties"]["change"]
    assert "table company" in change["anyOf"][0]["enum"]
    grants = schemas["role.schema.json"]["else"]["properties"]["grants"]
    assert {"company", "opportunity"} <= set(grants["properties"])
    assert errors(validator, "list: region\nof: region\ncolumns: {name: {path: of_no_table_yet}}\n") == []


def test_every_property_is_described(schemas: Mapping[str, Body]) -> None:
    table = schemas["table.schema.json"]
    assert table["else"]["properties"]["fields"]["description"] == "The fields, in order."
    assert table["definitions"]["FieldSchema"]["properties"]["max"]["description"]


def test_settings_lead_an_editor_from_files_to_the_schema(folder: Path) -> None:
    said = json.loads((folder / "settings.json").read_text())["yaml.schemas"]
    ((schema, files),) = said.items()
    assert schema == f"{folder.as_posix()}/definition.schema.json"
    assert {"**/tables/**/*.yaml", "**/reports/**/*.yaml", "**/addon.yaml", "**/system.yaml"} <= set(files)


def test_every_word_of_the_schemas_stands_for_something() -> None:
    models = [*(kind.schema for kind in BUILT_IN), *(verb.schema for verb in VERBS)]
    used = {word for model in models for word in words(model.model_json_schema())}
    assert used == set(WORDS)


def words(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("word"), str):
            yield node["word"]
        for one in node.values():
            yield from words(one)
    elif isinstance(node, list):
        for one in node:
            yield from words(one)


def test_a_site_with_errors_gets_schemas_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    (site / "tables").mkdir(parents=True)
    (site / "tables" / "region.yaml").write_text("table: region\nfields: {name: {type: txt}}\n")
    monkeypatch.setenv("TESSERA_METADATA", str(site))
    result = CliRunner().invoke(group, ["schema", str(tmp_path / "out")])
    assert result.exit_code == 0
    of = json.loads((tmp_path / "out" / "list.schema.json").read_text())["else"]["properties"]["of"]
    assert "region" in of["anyOf"][0]["enum"]
