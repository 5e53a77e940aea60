"""JSON Schemas of definitions for editors: properties, values and names are completed and checked while one types.

They are drafts of what `check` says: names that are not there, types of expressions and all that hangs together is
told by `check` only.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from core.definition.described import mappings, properties
from core.definition.kinds.base import Kind
from core.definition.kinds.fields import FieldSchema
from core.definition.kinds.function import ReturnsSchema
from core.definition.kinds.parameters import ASKED, AskedSchema, ParameterSchema
from core.definition.kinds.setting import SettingSchema
from core.definition.kinds.steps import StepSchema, Verb
from core.definition.merge import MOVES
from core.definition.names import NAME
from core.types.base import FieldType

DRAFT = "http://json-schema.org/draft-07/schema#"
SUFFIX = ".schema.json"
DISPATCH = "definition"                # the schema that is all kinds in one: the first key decides
PATH = "[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*"
Json = dict[str, Any]
NULL: Json = {"type": "null"}
MOVE: Mapping[str, Json] = {
    "after": {"type": "string", "description": "The member that it moves behind."},
    "before": {"type": "string", "description": "The member that it moves before."},
    "first": {"description": "True: it moves to the beginning."},
    "last": {"description": "True: it moves to the end."}}

_NAME: Json = {"type": "string", "pattern": f"^{NAME}$"}
_EXPRESSION: Json = {"anyOf": [{"type": "string", "pattern": "^[^=]"}, {"type": "number"}]}
# What stands for each word that core/definition/kinds/schema.py writes its properties in.
WORDS: Mapping[str, Json] = {
    "text": {"type": "string", "pattern": "\\S"},
    "name": _NAME,
    "name of a value": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_]{0,48}$"},
    "name, or list of names": {"anyOf": [_NAME, {"type": "array", "items": _NAME}]},
    "path": {"type": "string", "pattern": f"^{PATH}$"},
    "path or -path": {"type": "string", "pattern": f"^-?{PATH}$"},
    "expression": _EXPRESSION,
    "true, false or expression": {"anyOf": [{"type": "boolean"}, *_EXPRESSION["anyOf"]]},
    "value, or = and an expression": {"not": {"type": "object"}},
    "value": {"not": {"type": "object"}},
    "type, or mapping": {"type": ["string", "object"]},
    "expression, or conditions by name": {"anyOf": [*_EXPRESSION["anyOf"], {"type": "object"}]},
    "list of record roles and roles, or `none`": {"anyOf": [_NAME, {"type": "array", "items": _NAME}]},
    "name or -name": {"type": "string", "pattern": f"^-?{NAME}$"},
    "duration, such as 3 workdays": {"type": "string"},
    "expression, or duration such as 3 workdays": _EXPRESSION,
    "`created`, `changed` or `deleted`, or a list of them": {"type": ["string", "array"]},
    "name of a table, or = and an expression that gives one": {"type": "string"},
    "list of record roles and roles, or = and an expression that gives people": {"type": ["string", "array"]},
    "timetable: minute hour day month weekday": {"type": "string"},
    "true, false or list of record roles": {"anyOf": [{"type": "boolean"}, {"type": "array", "items": _NAME}]},
}
# Which kinds of definitions a property names, to offer those there are.
NAMED: Mapping[str, tuple[str, ...]] = {
    "of": ("table", "query", "choices"), "to": ("table",), "base": ("table",), "uses": ("mixin",),
    "includes": ("role",), "for": ("role",), "lists": ("list",), "forms": ("form",), "list": ("list",),
    "form": ("form",), "needs": ("addon",), "addons": ("addon",), "chart": ("chart",), "report": ("report",),
    "query": ("query",), "template": ("template",), "sequence": ("sequence",)}


# Schemas of which the properties of a type stand beside their own.
TYPED: tuple[type[BaseModel], ...] = (FieldSchema, ParameterSchema, AskedSchema, SettingSchema, ReturnsSchema)


@dataclass(frozen=True)
class Language:
    """What addons add to: kinds, types of fields, verbs of steps."""

    kinds: Mapping[str, Kind]
    types: Mapping[str, FieldType[Any]]
    verbs: Mapping[str, Verb]

    @property
    def written(self) -> tuple[Kind, ...]:
        """The kinds that are written in YAML."""
        return tuple(kind for kind in self.kinds.values() if kind.suffix == ".yaml")


@dataclass(frozen=True)
class Known:
    """The names that a site has, to be offered; others are allowed, for they may be about to be written."""

    names: Mapping[str, Collection[str]] = field(default_factory=dict)  # by kind
    fields: Collection[str] = ()


def schemas(language: Language, known: Known = Known()) -> dict[str, Json]:
    """The schemas by name of file: one for each kind that is written in YAML, and one for them all."""
    found = {kind.name + SUFFIX: kind_schema(kind, language, known) for kind in language.written}
    found[DISPATCH + SUFFIX] = _dispatch(language.written)
    return found


def editor_settings(language: Language, folder: str) -> Json:
    """The setting `yaml.schemas` of the YAML language server, for schemas in a folder."""
    files = {f"**/{kind.folder}/**/*.yaml" if kind.folder else f"**/{kind.name}.yaml" for kind in language.written}
    return {"yaml.schemas": {f"{folder}/{DISPATCH}{SUFFIX}": sorted(files)}}


def kind_schema(kind: Kind, language: Language, known: Known = Known()) -> Json:
    """The schema of one kind: a definition, or the change of one."""
    definitions = _definitions(kind.schema, language, known)
    root = definitions.pop(kind.schema.__name__)
    changes = {_changed_name(name): _movable(_changed(one)) for name, one in copy.deepcopy(definitions).items()}
    change = _changed(copy.deepcopy(root))
    names = [f"{kind.name} {name}" for name in known.names.get(kind.name, ())]
    return {
        "$schema": DRAFT, "title": kind.name, "description": root.get("description", ""),
        "if": {"required": ["change"]},
        "then": _begins(change, "change", f"^{kind.name} {NAME}$", names, "The kind and the name of what it changes."),
        "else": _begins(root, kind.name, f"^{kind.named}$", (), f"The name of the {kind.name}."),
        "definitions": {**definitions, **changes}}


def _definitions(model: type[BaseModel], language: Language, known: Known) -> dict[str, Json]:
    """A schema and all in it, by the names of their classes; with the properties of types and verbs."""
    found: dict[str, Json] = {}
    waiting = [model]
    while waiting:
        current = waiting.pop()
        if current.__name__ in found:
            continue
        plain = current.model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
        inner = plain.pop("$defs", {})
        own = inner.get(current.__name__, plain)        # one that holds itself stands among those in it
        found[current.__name__] = done = _worded(own, known)
        if issubclass(current, TYPED):
            _add_types(done, {**language.types, **ASKED} if issubclass(current, AskedSchema) else language.types, known)
        if issubclass(current, StepSchema):
            _add_verbs(done, language.verbs, known)
            waiting += [one for verb in language.verbs.values() for one in _models(verb.schema)]
        waiting += [one for one in _models(current) if one is not current]
    return found


def _models(model: type[BaseModel]) -> list[type[BaseModel]]:
    """The schemas of all mappings that stand directly in another."""
    return [inner for _, info in properties(model) for _, inner in mappings(info.annotation)]


def _begins(schema: Json, word: str, pattern: str, names: Iterable[str], description: str) -> Json:
    """A schema whose mapping begins with a word."""
    named = _offered({"type": "string", "pattern": pattern, "description": description}, names)
    for rule in schema.get("allOf", ()):                # of a kind that is typed itself
        rule["then"]["propertyNames"]["enum"].append(word)
    return {**schema, "properties": {word: named, **schema.get("properties", {})},
            "required": [word, *schema.get("required", ())]}


def _dispatch(kinds: Iterable[Kind]) -> Json:
    """One schema for the files of all kinds."""
    kinds = list(kinds)
    words = [kind.name for kind in kinds]
    return {
        "$schema": DRAFT, "title": "A definition", "type": "object",
        "properties": {**{word: {"type": "string"} for word in words},
                       "change": {"type": "string", "pattern": f"^({'|'.join(words)}) {NAME}$"}},
        "anyOf": [{"required": [word]} for word in ("change", *words)],
        "allOf": [{"if": {"anyOf": [{"required": [word]},
                                    {"required": ["change"], "properties": {"change": {"pattern": f"^{word} "}}}]},
                   "then": {"$ref": word + SUFFIX}} for word in words]}


def _worded(node: Any, known: Known, key: str = "") -> Any:
    """A node with its words as what stands for them; `key` is the property it belongs to."""
    if isinstance(node, list):
        return [_worded(one, known, key) for one in node]
    if not isinstance(node, dict):
        return node
    if "short" in node:
        short, rest = WORDS[node["short"]], {name: one for name, one in node.items() if name != "short"}
        return {"anyOf": [short, _worded(rest, known, key)]}
    if "word" in node:
        kept = {name: node[name] for name in ("description", "default") if node.get(name) is not None}
        return {**_offered(WORDS.get(node["word"], {}), _names(key, node["word"], known)), **kept}
    result: Json = {}
    for name, one in node.items():
        if name == "properties":
            result[name] = {each: _worded(inner, known, each) for each, inner in one.items()}
        elif name not in ("title", "default") or (name == "default" and one not in (None, {}, [])):
            result[name] = _worded(one, known, key)
    if key == "grants" and "additionalProperties" in result:       # by table, so tables are offered as keys
        result["properties"] = dict.fromkeys(sorted(known.names.get("table", ())), result["additionalProperties"])
    return result


def _names(key: str, word: str, known: Known) -> list[str]:
    """The names to offer for a property."""
    if word in ("path", "path or -path"):
        return sorted(known.fields)
    kinds = NAMED.get(key, ()) if word.startswith("name") else ()
    return sorted({name for kind in kinds for name in known.names.get(kind, ())})


def _offered(schema: Json, names: Iterable[str]) -> Json:
    """A schema that offers names, and takes others too."""
    offered = list(names)
    if not offered:
        return dict(schema)
    described = {"description": schema["description"]} if "description" in schema else {}
    return {**described, "anyOf": [{"enum": offered}, schema]}


def _add_types(schema: Json, types: Mapping[str, FieldType[Any]], known: Known) -> None:
    """Give a field the properties of its type; those of other types are refused."""
    own = {name: _inner_properties(kind.properties, known) for name, kind in types.items()}
    common = _add_properties(schema, own.values())
    description = schema["properties"]["type"].get("description", "")
    schema["properties"]["type"] = {"enum": list(types), "description": description}
    schema["allOf"] = [
        {"if": {"properties": {"type": {"const": name}}, "required": ["type"]},
         "then": {"propertyNames": {"enum": [*common, *found]}}} for name, found in own.items()]


def _add_verbs(schema: Json, verbs: Mapping[str, Verb], known: Known) -> None:
    """Give a step the properties of its verb; those of other verbs are refused, and so is a step of two verbs."""
    own = {name: _inner_properties(verb.schema, known) for name, verb in verbs.items() if verb.schema.model_fields}
    common = _add_properties(schema, own.values())
    schema["allOf"] = []
    for name, found in own.items():
        users = [{"required": [other]} for other, beside in own.items() if other != name and name in beside]
        is_it: Json = {"required": [name], **({"not": {"anyOf": users}} if users else {})}
        schema["allOf"].append({"if": is_it, "then": {"propertyNames": {"enum": [*common, *found]}}})
    needed = [{"required": [word]} for word in (*own, "if")]
    schema["allOf"].append({"anyOf": needed})


def _add_properties(schema: Json, several: Iterable[Json]) -> list[str]:
    """Add properties to a schema, which has no others then; the names of those it had."""
    common = list(schema["properties"])
    for found in several:
        for name, one in found.items():
            before = schema["properties"].get(name)
            schema["properties"][name] = one if before is None or before == one else _either(before, one)
    schema["additionalProperties"] = False
    return common


def _inner_properties(model: type[BaseModel], known: Known) -> Json:
    schema = model.model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
    found = _worded(schema.get("$defs", {}).get(model.__name__, schema), known).get("properties", {})
    made = {name for name, _ in properties(model)}
    return {name: _offered(one, _names(name, "name", known)) if one.get("type") == "string" else one
            for name, one in found.items() if name in made}


def _either(one: Json, other: Json) -> Json:
    """One value or another, with what is said of both."""
    options = one["anyOf"] if set(one) <= {"anyOf", "description"} else [one]
    said = dict.fromkeys(each["description"] for each in (one, other) if each.get("description"))
    return {"anyOf": options if other in options else [*options, other], "description": " ".join(said)}


def _changed_name(name: str) -> str:
    return f"Changed{name}"


def _movable(schema: Json) -> Json:
    """A member of a collection, which may say where it moves to."""
    if "properties" in schema:
        schema["properties"] |= {word: MOVE[word] for word in MOVES if word not in schema["properties"]}
        for rule in schema.get("allOf", ()):
            if "then" in rule:
                rule["then"]["propertyNames"]["enum"] += MOVES
    return schema


def _changed(node: Any) -> Any:
    """The same as a change: nothing must be there, null removes, lists are edited."""
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {**node, "$ref": "#/definitions/" + _changed_name(node["$ref"].removeprefix("#/definitions/"))}
    for key in ("anyOf", "oneOf"):
        if key in node:
            node[key] = [_changed(one) for one in node[key]]
    if "allOf" in node:                     # a change need not say the type or verb of what it changes
        node["allOf"] = [one for one in node["allOf"] if "if" in one]
    if node.get("type") == "array":
        return {"anyOf": [node, {"type": "object", "additionalProperties": False,
                                 "properties": {"add": node, "remove": {"type": "array"}}}]}
    if "properties" in node:
        node.pop("required", None)
        node["properties"] = {name: {"anyOf": [_changed(one), NULL]} for name, one in node["properties"].items()}
    if isinstance(node.get("additionalProperties"), dict):
        node["additionalProperties"] = {"anyOf": [_changed(node["additionalProperties"]), NULL]}
    return node
