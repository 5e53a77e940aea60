"""The reference graph is whole: what a schema says is a name, a path or an expression is a reference where it is used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from core.definition import Model, load, references
from core.definition import reference as pages
from core.definition.described import mappings, properties, value_word
from core.definition.kinds import BUILT_IN
from core.definition.kinds.fields import FieldSchema
from core.definition.references import Reference, mark, place, written
from core.definition.samples import sample
from core.definition.values import BodyPath, value_at
from core.types.registry import registry
from tests.core.definition.sets import load_set

PROJECT = Path(__file__).parents[3]
SAMPLES = [*(kind.name for kind in BUILT_IN), "types", "elements"]
NAMES = ("name", "path", "expression", "record role")

# What is called a name or an expression but names nothing of the Model beyond its own definition -> why.
EXEMPT: Mapping[tuple[str, str], str] = {
    ("*", "was"): "former names", ("*", "type"): "a type",
    ("ChoiceSchema", "role"): "what the value means to code", ("StateSchema", "result"): "what the state means to code",
    ("FilterSchema", "group"): "filters of one list", ("AgentSchema", "run_as"): "a user, which is a record",
    ("ScenarioStepSchema", "as"): "people that the scenario makes up", ("PageSchema", "fields"): "what the dialog asks",
    ("PageSchema", "if"): "answers of the same dialog", ("AskedSchema", "required"): "answers of the same dialog",
    ("ReportSchema", "about"): "its own parameter", ("SourceOpensSchema", "source"): "its own source",
    ("LayoutSchema", "sections"): "its own columns", ("PivotSchema", "columns"): "its own columns",
    ("PivotSchema", "values"): "its own columns", ("ReportSchema", "order"): "its own columns",
    ("ReportColumnSchema", "is"): "its own columns", ("ChartSchema", "x"): "what its own source gives",
    ("ChartSchema", "y"): "what its own source gives", ("ChartSchema", "series"): "what its own source gives",
    ("ChartSchema", "order"): "what its own source gives", ("QuerySchema", "group"): "its own columns",
    ("QuerySchema", "having"): "its own columns", ("QuerySchema", "order"): "its own columns",
    ("FunctionSchema", "is"): "its own parameters",
}
WORDS_FOR_NOBODY = ("none", "system")       # instead of names of roles


@cache
def graph(name: str) -> tuple[Model, dict[tuple[str, str], list[Reference]]]:
    """A sample, or the addons of this project, with all references by the definition that makes them."""
    if name == "addons":
        model = load([PROJECT / "addons"]).must()
    else:
        shown = sample(name, pages.KINDS)
        model = load([shown.folder, PROJECT / "addons" / "base"], shown.site, root=shown.folder).must()
    found: dict[tuple[str, str], list[Reference]] = {}
    for one in references(model):
        found.setdefault((one.kind, one.name), []).append(one)
    return model, found


def named(model: type[BaseModel], body: Mapping[str, Any], path: BodyPath = ()) -> Iterator[tuple[str, str, BodyPath]]:
    """What a body names by its schema: the schema, the property, and the path of each name."""
    for key, info in properties(model):
        if body.get(key) is None:
            continue
        value, inner = body[key], list(mappings(info.annotation))
        if inner:
            for suffix, below in inner:
                if suffix == "" and isinstance(value, dict):
                    yield from named(below, value, (*path, key))
                elif isinstance(value, dict) and all(isinstance(one, dict) for one in value.values()):
                    for member, one in value.items():
                        yield from named(below, one, (*path, key, member))
            continue
        if any(word in value_word(info) for word in NAMES):
            for index, one in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(one, str) and (one.startswith("=") or not value_word(info).startswith("value, or")):
                    yield model.__name__, key, (*path, key) if index is None else (*path, key, index)
    if model is FieldSchema and isinstance(body.get("type"), str):
        kind = registry().get(body["type"])
        for key in kind.properties.model_fields if kind is not None else ():
            if key in ("to", "of", "by", "on", "sequence") and key in body:
                yield f"{kind.name} field", key, (*path, key)           # type: ignore[union-attr]


@pytest.mark.parametrize("name", [*SAMPLES, "addons"])
def test_every_name_in_a_sample_is_a_reference(name: str) -> None:
    model, found = graph(name)
    kinds = {kind.name: kind for kind in BUILT_IN}
    mixins = {mixin for table in model.tables.values() for mixin in table.uses}
    missing = {}
    for (kind, definition), merged in model.definitions.items():
        if kind == "mixin" and definition not in mixins:
            continue                    # what a mixin's names mean is known where a table takes it
        if kind == "migration":
            continue                    # a step that was for good: its names are those of versions that were
        paths = {one.path for one in found.get((kind, definition), ())}
        for schema, key, path in named(kinds[kind].schema, merged.body):
            value = str(value_at(merged.body, path))
            if {(schema, key), ("*", key)} & set(EXEMPT) or value in WORDS_FOR_NOBODY or path in paths:
                continue
            if says_a_member(value, model) or not is_expression(value):
                missing[schema, key] = f"{kind} {definition}: {path} {value!r}"
    assert missing == {}


def is_expression(value: str) -> bool:
    """True for what is more than a name or a path, which may name nothing: `=today()`, `parameter.x > 3`."""
    return not re.fullmatch(r"-?\w+(\.\w+)*", value)


def says_a_member(value: str, model: Model) -> bool:
    """True if a word of an expression could be a field; texts in it and what follows `parameter.` are none."""
    words = set(re.findall(r"(?<![\w.])[a-z_]\w*", re.sub(r"'[^']*'", "", value)))
    return bool(words & {field for table in model.tables.values() for field in table.fields} - {"user"})


def test_what_is_exempt_is_there() -> None:
    used = {(schema, key) for name in SAMPLES for (kind, _), merged in graph(name)[0].definitions.items()
            for schema, key, _ in named({one.name: one for one in BUILT_IN}[kind].schema, merged.body)}
    keys = {key for _, key in used}
    assert [one for one in EXEMPT if one not in used and not (one[0] == "*" and one[1] in keys)] == []


@pytest.mark.parametrize("name", [*SAMPLES, "addons"])
def test_a_reference_is_where_the_name_stands(name: str) -> None:
    model, found = graph(name)
    folder = Path.cwd() if name == "addons" else sample(name, pages.KINDS).folder
    wrong, placed = [], 0
    for one in (one for several in found.values() for one in several):
        merged = model.definitions[one.kind, one.name]
        where = place(merged.body, one.path, written(one), one.inside)
        here = mark(merged, one)
        if where is None or here.file.endswith(".po"):
            continue
        placed += 1
        lines = (folder / here.file).read_text().splitlines()
        text = lines[here.line - 1][here.column - 1:].lstrip("'\"")
        if not text.startswith(written(one)) and not is_folded(value_at(merged.body, where.path), lines[here.line - 1]):
            wrong.append(f"{here.file}:{here.line}:{here.column} {written(one)!r}: {text[:40]!r}")
    assert wrong == [] and placed


def is_folded(value: object, line: str) -> bool:
    """True for a text that stands in its file in other words: over several lines, or with escapes."""
    return isinstance(value, str) and value not in line


def users_of(model: Model, found: Mapping[tuple[str, str], list[Reference]], kind: str, name: str) -> set[str]:
    return {f"{one.kind} {one.name} {'.'.join(map(str, one.path))}" for several in found.values()
            for one in several if (one.to_kind, one.to_name) == (kind, name)}


def test_every_way_to_use_a_thing_is_a_use(tmp_path: Path) -> None:
    model = load_set(tmp_path, {
        "addons/a/tables/user.yaml": "table: user\npeople: id\nfields:\n  name: {type: text}\n",
        "addons/a/tables/owned.yaml": "mixin: owned\nfields:\n  owner: {type: link, to: user, default: =user}\n"
                                      "roles:\n  owner: {is: owner}\n",
        "addons/a/tables/deal.yaml": """
            table: deal
            uses: [owned]
            display: "{name} of {owner.name}"
            access: {only: owner}
            fields:
              name: {type: text}
              size: {type: integer, required: "stage == 'won'"}
              stage: {type: choice, of: stage, default: won}
              lines: {type: lines, of: line, by: deal}
              total: {type: integer, formula: "sum(lines[size > outer.size].size) + setting.most"}
              price: {type: integer, formula: "twice(size) + count(query.big(least=size)[stage == 'won'])"}
            """,
        "addons/a/tables/line.yaml": "table: line\nfields:\n  deal: {type: link, to: deal}\n  size: {type: integer}\n"
                                     "  open: {type: boolean, formula: \"exists(all.deal[stage in ['open']])\"}\n",
        "addons/a/choices/stage.yaml": "choices: stage\nvalues:\n  open: {}\n  won: {}\n",
        "addons/a/settings/most.yaml": "setting: most\ntype: integer\ndefault: 3\n",
        "addons/a/functions/twice.yaml": "function: twice\nparameters: {x: {type: integer}}\nreturns: {type: integer}\n"
                                         "is: parameter.x * 2\n",
        "addons/a/queries/big.yaml": "query: big\nof: deal\nparameters: {least: {type: integer}}\n"
                                     "where: size >= parameter.least\ncolumns: {name: {}}\n",
        "addons/a/templates/note.txt": "---\ntemplate: note\nof: deal\nsubject: About {name}\n---\n"
                                       "Of {{ owner.name }}{% if stage == 'won' %}!{% endif %}\n",
        "addons/a/data/deals.yaml": "data: deals\nof: deal\nkey: name\nrecords:\n  one: {size: 3, stage: won}\n",
        "addons/a/roles/clerk.yaml": "role: clerk\ngrants:\n  deal: {read: [owner]}\n  deal.size: {read: false}\n",
        "addons/a/translations/de.po": 'msgid ""\nmsgstr ""\n\nmsgctxt "table deal.fields.size.title"\nmsgid "Size"\n'
                                       'msgstr "Menge"\n',
    }).must()
    found: dict[tuple[str, str], list[Reference]] = {}
    for one in references(model):
        found.setdefault((one.kind, one.name), []).append(one)
    assert users_of(model, found, "table", "deal.size") == {
        "table deal fields.total.formula", "table deal fields.price.formula", "query big where",
        "data deals records.one.size", "role clerk grants.deal.size", "translation de texts.table deal.fields.size.title"}
    assert users_of(model, found, "choices", "stage.won") == {
        "table deal fields.size.required", "table deal fields.stage.default", "table deal fields.price.formula",
        "template note body", "data deals records.one.stage"}
    assert users_of(model, found, "choices", "stage.open") == {"table line fields.open.formula"}
    assert users_of(model, found, "mixin", "owned.owner") == {
        "table deal display", "template note body", "mixin owned roles.owner.is"}
    assert users_of(model, found, "mixin", "owned.roles.owner") == {"table deal access.only", "role clerk grants.deal.read.0"}
    assert users_of(model, found, "setting", "most") == {"table deal fields.total.formula"}
    assert users_of(model, found, "function", "twice") == {"table deal fields.price.formula"}
    assert users_of(model, found, "query", "big") == {"table deal fields.price.formula"}
    assert users_of(model, found, "table", "line") == {"table deal fields.lines.of"}
    assert users_of(model, found, "mixin", "owned") == {"table deal uses.0"}
    assert {"table line fields.deal.to", "table line fields.open.formula", "query big of"} <= \
        users_of(model, found, "table", "deal")
