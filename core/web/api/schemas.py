"""JSON Schema of records as they travel: what a type's values look like, and what of a table one may read and write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from core.ed.shape import shape
from core.types.lines import MOST_LINES
from core.types.link import LARGEST_ID, MOST_LINKS
from core.types.numbers import LIMIT

if TYPE_CHECKING:
    from core.definition.model import Field, Model, Table
    from core.ed.access import Gate

Schema = dict[str, Any]
ID: Schema = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
VERSION: Schema = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
NUMBER: Schema = {"type": "string", "pattern": r"^[+-]?[0-9]{1,40}(\.[0-9]{1,40})?$"}
MOMENT: Schema = {"type": "string", "format": "date-time", "examples": ["2017-03-01T08:30:00Z"]}
NAME = r"^[a-z_][a-z0-9_]*$"
FREE = frozenset({"text", "memo", "html", "expression", "phone", "fax", "url"})      # where "" is as good as null
STORED_FILE: Schema = {"type": "object", "required": ["id"], "properties": {
    "id": ID, "name": {"type": "string"}, "type": {"type": "string"}, "size": {"type": "integer", "minimum": 0}}}
SENT_FILE: Schema = {"type": "object", "required": ["name", "content"], "additionalProperties": False, "properties": {
    "name": {"type": "string"}, "content": {"type": "string", "contentEncoding": "base64"}}}


# Values of a type: as they are read, or with `written` as they are sent

def _text(field: Field, written: bool) -> Schema:
    most = getattr(field.properties, "max", None)
    return {"type": "string", "maxLength": most} if isinstance(most, int) else {"type": "string"}


def _number(field: Field, written: bool) -> Schema:
    found: Schema = {**NUMBER, "examples": ["12.50"]}
    if written:
        found["type"] = ["string", "integer"]
    return found


def _whole(field: Field, written: bool) -> Schema:
    least, most = getattr(field.properties, "min", None), getattr(field.properties, "max", None)
    edge = int(LIMIT) - 1
    if not written:
        return {"type": "integer"}
    return {"type": "integer", "minimum": -edge if least is None else least, "maximum": edge if most is None else most}


def _rating(field: Field, written: bool) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": getattr(field.properties, "max", 5)}


def _link(field: Field, written: bool) -> Schema:
    return {**ID}


def _file(field: Field, written: bool) -> Schema:
    return {"anyOf": [ID, SENT_FILE, STORED_FILE]} if written else STORED_FILE


def _of(**schema: Any) -> Callable[[Field, bool], Schema]:
    return lambda field, written: dict(schema)


_TYPES: Mapping[str, Callable[[Field, bool], Schema]] = {
    "text": _text, "memo": _text, "html": _text, "expression": _text, "sequence": _of(type="string"),
    "url": _of(type="string", examples=["https://example.com"]),
    "email": _of(type="string", format="email", examples=["somebody@example.com"]),
    "phone": _of(type="string", examples=["+49 30 1234567"]), "fax": _of(type="string", examples=["+49 30 1234568"]),
    "color": _of(type="string", pattern="^[ ]*#?[0-9A-Fa-f]{3,6}[ ]*$", examples=["#1a7f37"]),
    "integer": _whole, "rating": _rating, "boolean": _of(type="boolean"), "float": lambda field, written: {
        "type": ["number", "string"] if written else "number"},
    "decimal": _number, "money": _number, "percent": _number,
    "date": _of(type="string", format="date", pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2017-03-01"]),
    "datetime": lambda field, written: dict(MOMENT),
    "time": _of(type="string", pattern="^[0-9]{2}:[0-9]{2}(:[0-9]{2})?$", examples=["09:30"]),
    "duration": _of(type="string", pattern="^-?P[0-9WDTHMS]+$", examples=["P1DT2H30M"]),
    "link": _link, "any_link": _link, "file": _file, "image": _file, "document": _file, "json": lambda f, w: {},
}
_BY_VALUE = {"text": "text", "integer": "integer", "decimal": "decimal", "money": "money", "percent": "percent",
             "boolean": "boolean", "date": "date", "datetime": "datetime", "time": "time", "duration": "duration",
             "link": "link", "any_link": "any_link"}


def value(model: Model, field: Field, *, written: bool = False) -> Schema:
    """One value of a field: of a type that core does not know, as what expressions take it for."""
    kind = field.type.name
    if field.expression_type.name == "choice":
        return _choice(model, field)
    if kind in ("link", "links"):
        return {**ID}
    if kind == "tags":
        return {"type": "string"}
    of_one = getattr(field.type, "one", None)
    known = of_one.name if of_one is not None else kind
    make = _TYPES.get(known) or _TYPES.get(_BY_VALUE.get(field.expression_type.name, ""))
    if make is None:
        return {}
    if of_one is not None and make is _text:
        return {"type": "string"}
    return make(field, written)


def _choice(model: Model, field: Field) -> Schema:
    choices = model.choices.get(field.expression_type.of or "")
    if choices is None or choices.open_in_live:
        return {"type": "string"}
    return {"type": "string", "enum": list(choices.values)}


def reads(model: Model, field: Field) -> Schema:
    """A field as it is read: any may be empty, and lists are empty lists."""
    if field.type.is_lines:
        return {"type": "array", "items": ref(field.target or "")}
    if _is_list(field):
        return {"type": "array", "items": value(model, field)}
    return _or_null(value(model, field))


def writes(model: Model, field: Field, *, needed: bool = False) -> Schema:
    """A field as it is sent; one that a record cannot do without is never null."""
    if field.type.is_lines:
        return {"type": ["array", "null"], "maxItems": MOST_LINES, "items": ref(f"{field.target}.line")}
    if _is_list(field):
        items = value(model, field, written=True)
        many: Schema = {"type": ["array", "null"], "items": items, "maxItems": _most(field)}
        if field.type.is_through or field.expression_type.name == "link":
            ids = {"type": "array", "items": items, "maxItems": MOST_LINKS}
            edits = {"type": "object", "minProperties": 1, "additionalProperties": False,
                     "properties": {"add": ids, "remove": ids}}
            return {"anyOf": [many, edits]}
        return many
    found = value(model, field, written=True)
    if needed and field.type.name in FREE:
        found = {**found, "minLength": 1}
    return found if needed else _or_null(found)


def _is_list(field: Field) -> bool:
    return field.many or field.type.is_through or field.expression_type.many


def _most(field: Field) -> int:
    if field.expression_type.name == "link" or field.type.is_through:
        return MOST_LINKS
    if field.type.name == "tags":
        return 10 * int(getattr(field.properties, "max", 20))
    return 1_000 if field.expression_type.name == "choice" else 100


def _or_null(schema: Schema) -> Schema:
    if not schema:
        return schema
    if "anyOf" in schema:
        return {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    found = {**schema, "type": [*kinds, "null"]}
    if "enum" in found:
        found["enum"] = [*found["enum"], None]
    return found


def ref(name: str) -> Schema:
    """A schema that stands among the components."""
    return {"$ref": f"#/components/schemas/{name}"}


# Records

def record(gate: Gate, table: Table) -> Schema:
    """A record as it is read. Fields may be missing, for one may ask for some; paths come by their names."""
    model = gate.system.model
    properties: Schema = {"id": ID, "_version": VERSION}
    if gate.system.stored(table.name).shared:
        properties["_type"] = {"type": ["string", "null"], "description": "The table whose record it is."}
    for name in gate.readable(table.name):
        field = table.fields[name]
        properties[name] = _described(gate, table, field, reads(model, field)) | {"readOnly": _given(field)}
        if not properties[name]["readOnly"]:
            del properties[name]["readOnly"]
        properties |= _beside(field)
    properties["_warnings"] = {"type": "array", "readOnly": True, "items": ref("Warning"),
                               "description": "What rules warn of, in the answer to a write."}
    for verb in ("created", "changed"):
        properties[f"{verb}_on"] = {**_or_null(MOMENT), "readOnly": True}
        properties[f"{verb}_by"] = {**_or_null(ID), "readOnly": True}
        properties |= {f"{verb}_by_{more}": {"type": [kind, "null"], "readOnly": True}
                       for more, kind in (("title", "string"), ("trashed", "boolean"))}
    return {"type": "object", "title": table.title, "required": ["id"], "properties": properties,
            "patternProperties": {r"\.": {}}, "additionalProperties": False}


def _beside(field: Field) -> Schema:
    """What comes with a link: the title, whether it lies in the trash, and the table where there are several."""
    if field.expression_type.name not in ("link", "any_link") and not field.type.is_through:
        return {}
    if field.type.is_file:
        return {}
    title: Schema = {"type": ["string", "null"]}
    if _is_list(field):
        title = {"type": ["array", "null"], "items": title}
    found: Schema = {f"{field.name}_title": {**title, "readOnly": True},
                     f"{field.name}_trashed": {"type": ["boolean", "null"], "readOnly": True}}
    if field.expression_type.name == "any_link":
        found[f"{field.name}_table"] = {"type": ["string", "null"], "readOnly": True}
    return found


def new_record(gate: Gate, table: Table) -> Schema:
    """A record as it is created."""
    source = gate.system.stored(table.name).table
    fields = [field for field in _sent(table)
              if field.virtual or gate.given(table.name, field.name, source) is not False]
    return _body(gate, table, fields, f"{table.title}, new", creating=True)


def changed_record(gate: Gate, table: Table) -> Schema:
    """The fields of a record that are to change, and the version that was read."""
    found = _body(gate, table, _changeable(gate, table), f"{table.title}, changes", creating=False)
    found["properties"] = {"id": ID, "_version": VERSION, **found["properties"]}
    return found


def line(gate: Gate, table: Table) -> Schema:
    """A line as it is sent with its record: with `id` one that is there, without a new one."""
    fields = {field.name: field for field in (*_sent(table), *_changeable(gate, table))}
    found = _body(gate, table, fields.values(), f"{table.title}, as a line", creating=False, needed=False)
    found["properties"] = {"id": _or_null(ID), "_version": _or_null(VERSION),
                           "_delete": {"type": "boolean", "default": False}, **found["properties"]}
    return found


def _body(gate: Gate, table: Table, fields: Iterable[Field], title: str, *, creating: bool,
          needed: bool = True) -> Schema:
    required, properties = [], {}
    for field in fields:
        always = needed and field.required is True and not field.type.virtual and not _is_list(field)
        properties[field.name] = _described(gate, table, field, writes(gate.system.model, field, needed=always))
        if always and creating and not {"default", "suggest"} & field.written.keys():
            required.append(field.name)
    found: Schema = {"type": "object", "title": title, "properties": properties}
    if not table.kinds or creating:
        found["additionalProperties"] = False        # a change through a base may name fields of the kind
    if required:
        found["required"] = required
    return found


def _sent(table: Table) -> list[Field]:
    return [field for field in table.fields.values() if not _given(field)]


def _changeable(gate: Gate, table: Table) -> list[Field]:
    return [field for field in _sent(table) if field.virtual or not gate.hidden(table.name, field.name, "change")]


def _given(field: Field) -> bool:
    """Whether a field is never set from outside."""
    return "formula" in field.written or field.type.is_drawn or field.readonly is True


def _described(gate: Gate, table: Table, field: Field, schema: Schema) -> Schema:
    """A schema with the field's title, and what its form does not say."""
    found = {"title": field.title, **schema} if field.title else dict(schema)
    said = [text for text in (field.help, _about(gate, table, field)) if text]
    if said:
        found["description"] = " ".join(said)
    return found


def _about(gate: Gate, table: Table, field: Field) -> str:
    kind = field.type.name
    if kind == "money":
        return _currency(gate, table, field)
    if kind == "percent":
        return "From 0 to 100: half is 50."
    if kind == "html":
        return "HTML; what is sent is cleaned."
    if kind == "lines":
        return f"Of {field.target}: with `id` a line is changed, without added, with `_delete` removed; others stay."
    if kind == "links":
        return f"Ids of records of {field.target}."
    if field.expression_type.name == "link" and not field.type.is_file:
        return f"{'Ids of records' if field.many else 'The id of a record'} of {field.target}."
    if field.expression_type.name == "any_link":
        tables = ", ".join(getattr(field.properties, "targets", ()))
        return f"The id of a record of {f'one of {tables}' if tables else 'any table'}."
    return ""


def _currency(gate: Gate, table: Table, field: Field) -> str:
    """In which currency an amount is; its path `.base` is the same in the organisation's."""
    found = shape(gate.system, table.name)
    if found.currency is not None:
        where = f"the record's `{found.currency}`"
    elif found.currency_through is not None:
        where = f"that of the record of `{found.currency_through}`"
    else:
        return f"In {gate.system.model.system.currency}."
    return f"In {where}, else {gate.system.model.system.currency}; `{field.name}.base` is the amount in the latter."
