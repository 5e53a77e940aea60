"""Fields of tables and mixins: their schema, and how a written field becomes one of the Model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic import Field as Property

from core.definition.building import Building
from core.definition.faults import tell_all
from core.definition.kinds import stored_formulas
from core.definition.kinds.relations import check_field_name, check_links, check_several, check_table_name
from core.definition.kinds.schema import Condition, Expression, Name, Names, Schema, Text, Value
from core.definition.migrations import Past, check_past
from core.definition.model import Field
from core.definition.names import COLUMNS, suggestion
from core.definition.scope import ModelScope, Written
from core.definition.texts import humanised
from core.definition.values import BodyPath, Merged
from core.types.base import BadValue, FieldType, Type
from core.types.expression import ExpressionProperties, expects
from core.types.field import FieldNameProperties
from core.types.link import LinkProperties, targets_of
from core.types.links import LinksProperties
from core.types.several import of_properties
from core.types.table import TableNameProperties

CONDITIONS = ("required", "readonly", "show")
NARROWING = ("title", "help", "required", "readonly", "show", "default", "suggest", "fill", "among", "search")


class FieldSchema(Schema):
    """A field; the properties of its type stand beside these."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    type: Name | None = Property(None, description="The type of the field; left out where a table narrows a field "
                                 "of its base or mixin (title, help, required, readonly, show, default, suggest, "
                                 "fill, among, search).")
    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    help: Text | None = Property(None, description="A sentence shown beside the field.")
    required: Condition = Property(False, description="Whether a record must have a value, or when.")
    readonly: Condition = Property(False, description="Whether people may not change it, or when.")
    show: Condition = Property(True, description="Whether forms show it, or when.")
    default: Value = Property(None, description="The value a new record begins with; acts once, at creation.")
    suggest: Value = Property(None, description="The value proposed again whenever a field it reads changes, until "
                              "the user types one.")
    fill: Value = Property(None, description="What records get that are there when the field is added, becomes "
                           "required or gets another type; an expression is over the record as the version before "
                           "has it, in the names of that version.")
    formula: Expression | None = Property(None, description="The expression that computes it; nobody types it.")
    stored: bool = Property(False, description="True: what the formula gives is kept in a column, so that lists sort "
                            "by it and indexes, searches and `unique` know it. Such a formula reads fields of the "
                            "record and of its lines alone.")
    search: Literal["words", "contains"] | None = Property(
        None, description="Finds records by words of this field; `contains` also by any part of it.")
    among: Expression | dict[Name, Expression] | None = Property(
        None, description="The condition that records must meet to be linked; bare names are fields of the linked "
        "table, `record` is this record. For a link to several tables: a condition for each that needs one.")
    on_delete: Literal["restrict", "clear", "cascade"] | None = Property(
        None, description="What trashing the linked record does: refuses (restrict), empties this link (clear), or "
        "trashes this record too (cascade). Without it: restrict for a required link, else clear.")
    was: Names | None = Property(None, description="Its former name or names: a rename keeps the values.")
    fresh: bool = Property(False, description="True: takes a new column although an older one of that name is kept.")


def type_of(merged: Merged, path: BodyPath, name: str, schema: FieldSchema, building: Building,
            known: Iterable[str] = ()) -> tuple[FieldType[Any], Any] | None:
    """The type and its properties; None, with problems told."""
    if schema.type is None:
        building.tell(merged, path, f'field "{name}" has no type' + suggestion(name, known))
        return None
    return typed(merged, path, schema.type, schema, building, building.types)


def typed(merged: Merged, path: BodyPath, type_name: str, schema: Schema, building: Building,
          types: Mapping[str, FieldType[Any]]) -> tuple[FieldType[Any], Any] | None:
    """One of the types, with the properties that stand beside a schema's own; None, with problems told."""
    kind = types.get(type_name)
    if kind is None:
        building.tell(merged, (*path, "type"), f'there is no type "{type_name}"' + suggestion(type_name, types))
        return None
    extras = dict(schema.model_extra or {})
    fit = {key: value for key, value in extras.items()
           if not _misfit(merged, (*path, key), value, kind.properties, building)}
    try:
        properties = kind.properties.model_validate(fit)
        return (of_properties(kind, properties), properties) if fit == extras else None
    except ValidationError as error:
        tell_all(error, merged, path, building, kind.properties, f'a field of type "{type_name}"',
                 type(schema).model_fields)
        return None


def _misfit(merged: Merged, path: BodyPath, value: object, properties: type[BaseModel], building: Building) -> bool:
    """Tell of a text or a condition where a type wants a number: 010 and 12:30 are no numbers, and yes is no true."""
    info = properties.model_fields.get(str(path[-1]))
    expected = {int: "a whole number", bool: "true or false"}.get(info.annotation, "") if info else ""  # type: ignore
    if expected and (isinstance(value, str) or (isinstance(value, bool) and info.annotation is int)):  # type: ignore
        building.tell(merged, path, f'{expected} is expected here, not "{value}"')
        return True
    return False


def make_field(merged: Merged, name: str, schema: FieldSchema, table: str, inherited: Mapping[str, Field],
               building: Building) -> Field | None:
    """A field of the Model, or the inherited one narrowed; None, with problems told."""
    path: BodyPath = ("fields", name)
    if name in COLUMNS:
        building.tell(merged, path, f'"{name}" cannot be a field: every record has one already')
        return None
    before = inherited.get(name)
    if before is not None:
        return _narrowed(merged, path, schema, table, before, building)
    known = [other for other in (*_fields(merged), *inherited) if other != name]
    found = type_of(merged, path, name, schema, building, known)
    if found is None:
        return None
    kind, properties = found
    if any(("table", table) not in building.merged for table in targets_of(properties)):
        building.names.lost.add(name)   # told by `check_target`: what hangs on it only follows
    made = Field(table, name, kind, properties, schema.title or humanised(name), schema.help or "", schema.search,
                 stored=schema.stored and schema.formula is not None,
                 on_delete=schema.on_delete or ("restrict" if schema.required is True else "clear"),
                 was=tuple(schema.was or ()), fresh=schema.fresh, path=f"{merged.kind} {merged.name}.fields.{name}")
    return replace(made, written=_written(merged, path, schema, made, table, building))


def _narrowed(merged: Merged, path: BodyPath, schema: FieldSchema, table: str, before: Field,
              building: Building) -> Field:
    """The inherited field with what this table says more strictly; its type stays."""
    for key in (*schema.model_fields_set, *(schema.model_extra or {})):
        if key == "type" and schema.type == before.type.name:
            continue
        if key not in NARROWING:
            owner = before.path.partition(".")[0]
            building.tell(merged, (*path, key), f'field "{before.name}" comes from {owner}: "{key}" cannot be set '
                          "again here (" + ", ".join(NARROWING) + " can)")
    changes: dict[str, Any] = {"path": f"{merged.kind} {merged.name}.fields.{before.name}"}
    changes |= {key: getattr(schema, key) for key in ("title", "help", "search")
                if getattr(schema, key) is not None}
    narrowed = replace(before, **changes)
    written = {**before.written, **_written(merged, path, schema, narrowed, table, building)}
    return replace(narrowed, written=written)


def _written(merged: Merged, path: BodyPath, schema: FieldSchema, made: Field, table: str,
             building: Building) -> dict[str, object]:
    """The conditions, values and formula as written: literals in normal form, expressions not yet parsed."""
    result: dict[str, object] = {}
    scope = building.scope(table)
    for key in CONDITIONS:
        if key in schema.model_fields_set:
            value = getattr(schema, key)
            result[key] = value if isinstance(value, bool) else Written(value, scope, "boolean")
    if schema.formula is not None:
        result["formula"] = Written(schema.formula, scope, made.expression_type)
    for key in ("default", "suggest"):
        if key in schema.model_fields_set:
            result[key] = value_of(merged, (*path, key), getattr(schema, key), made, scope, building)
    if "fill" in schema.model_fields_set:
        result["fill"] = past_value(merged, (*path, "fill"), schema.fill, made, building)
    if isinstance(schema.among, str) and len(made.targets) > 1:
        building.tell(merged, (*path, "among"), "a link to several tables has a condition for each table, such as "
                                                f'{{{made.targets[0]}: "..."}}')
    elif schema.among is not None:
        result["among"] = _among(schema.among, {"record": Type("link", table)}, made, building)
    return result


def _among(said: str | dict[str, str], known: Mapping[str, Type], made: Field,
           building: Building) -> Written | dict[str, Written]:
    """What may be chosen: one condition, or one for each of several tables."""
    if isinstance(said, str):
        return Written(said, building.scope(made.target, known), "boolean")
    return {table: Written(one, building.scope(table, known), "boolean") for table, one in said.items()}


def value_of(merged: Merged, path: BodyPath, value: object, made: Field, scope: ModelScope,
             building: Building) -> object:
    """A literal in its type's normal form, or what follows `=` as an expression; None, with a problem told."""
    if isinstance(value, str) and value.startswith("="):
        return Written(value[1:], scope, made.expression_type)
    if value is not None and made.names_records:
        building.tell(merged, path, "a link's value is an expression: write = before it, such as =user")
        return None
    return literal(merged, path, value, made, building)


def past_value(merged: Merged, path: BodyPath, value: object, made: Field, building: Building) -> object:
    """A literal in its type's normal form, or what follows `=` as an expression over the version before."""
    if isinstance(value, str) and value.startswith("="):
        return Past(value[1:])
    if value is not None and made.names_records:
        building.tell(merged, path, "a link's value is an expression: write = before it, such as =company")
        return None
    return literal(merged, path, value, made, building)


def literal(merged: Merged, path: BodyPath, value: object, made: Field, building: Building) -> object:
    """A literal in its type's normal form; None, with a problem told, if the type refuses it."""
    try:
        return made.type.from_wire(repr(value) if isinstance(value, float) else value, made.properties)
    except BadValue as error:
        building.tell(merged, path, lowered(str(error)))
        return None


def lowered(sentence: str) -> str:
    """A sentence as the end of an error line."""
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def check_value(merged: Merged, path: BodyPath, value: object, made: Field, building: Building) -> None:
    """Check an expression, or that a literal is one of the field's choices."""
    if isinstance(value, Written):
        building.check(merged, path, value, shift=1)
        return
    if isinstance(value, Past):
        check_past(merged, path, value, building)
        return
    if isinstance(made.properties, ExpressionProperties) and isinstance(value, str):
        building.check(merged, path, Written(value, building.scope(made.properties.on), expects(made.properties)))
        return
    kind = made.expression_type
    choices = building.names.choices.get(kind.of or "") if kind.name == "choice" else None
    if choices is None or value is None or ("choices", choices.name) in building.broken:
        return
    for index, item in enumerate(value if isinstance(value, list) else [value]):
        known = building.choice(merged, (*path, index) if isinstance(value, list) else path, choices.name, str(item))
        if not known and item not in choices.values and not (choices.open_in_live or kind.of == "role"):
            building.tell(merged, path, f'"{item}" is not one of the choices "{kind.of}"'
                          + suggestion(str(item), choices.values))


def check_field(merged: Merged, made: Field, building: Building) -> None:
    """Check what a field's definition names: its table or choices, the way back of lines, its expressions."""
    path: BodyPath = ("fields", made.name)
    said = _said(merged, made.name)
    if "type" in said:
        check_target(merged, path, made, building)
    for key in (*CONDITIONS, "formula", "among"):
        value = made.written.get(key)
        if key in said and isinstance(value, Written):
            building.check(merged, (*path, key), value)
        elif key in said and isinstance(value, Mapping):
            for table, one in value.items():
                building.check(merged, (*path, key, table), one)
    for key in ("default", "suggest", "fill"):
        if key in said and key in made.written:
            check_value(merged, (*path, key), made.written[key], made, building)
    _check_together(merged, path, made, said, building)


def _said(merged: Merged, field: str) -> Mapping[str, object]:
    """What a definition itself says of a field."""
    said = _fields(merged).get(field)
    return said if isinstance(said, dict) else {}


def _fields(merged: Merged) -> Mapping[str, object]:
    fields = merged.body.get("fields")
    return fields if isinstance(fields, dict) else {}


def check_target(merged: Merged, path: BodyPath, made: Field, building: Building) -> None:
    """Check the table or choices that a field leads to."""
    kind = made.expression_type
    if made.type.is_lines:
        _check_lines(merged, path, made, building)
    elif isinstance(made.properties, LinksProperties):
        check_links(merged, path, made, building)
    elif isinstance(made.properties, LinkProperties) and made.properties.several:
        check_several(merged, path, made, building)
    elif isinstance(made.properties, TableNameProperties):
        check_table_name(merged, path, made, building)
    elif isinstance(made.properties, FieldNameProperties):
        check_field_name(merged, path, made, building)
    elif made.type.name == "link" and kind.of is not None:
        found = building.find(merged, (*path, "to"), "table", kind.of)
        if found is not None and getattr(made.properties, "tree", False):
            _check_tree(merged, path, made, building)
    elif made.type.name == "choice" and kind.of is not None:
        building.find(merged, (*path, "of"), "choices", kind.of)
    elif isinstance(made.properties, ExpressionProperties):
        building.find(merged, (*path, "on"), "table", made.properties.on)
    elif made.type.is_drawn:
        building.find(merged, (*path, "sequence"), "sequence", str(getattr(made.properties, "sequence", "")))


def _check_tree(merged: Merged, path: BodyPath, made: Field, building: Building) -> None:
    """A tree is one link of a table to itself, or to the base that the link stands on."""
    kind = made.expression_type
    if kind.many or kind.of != made.table:
        building.tell(merged, (*path, "tree"), f'"tree" is for a single link of table "{made.table}" to itself')
        return
    table = building.names.tables.get(made.table)
    trees = [field.name for field in (table.fields.values() if table is not None else ())
             if getattr(field.properties, "tree", False)]
    if made.name in trees[1:]:
        building.tell(merged, (*path, "tree"), f'table "{made.table}" has a tree already: "{trees[0]}"')


def _check_lines(merged: Merged, path: BodyPath, made: Field, building: Building) -> None:
    target = building.find(merged, (*path, "of"), "table", made.properties.model_dump()["of"])
    if target is None:
        return
    by = made.properties.model_dump()["by"]
    back = building.field(merged, (*path, "by"), target.name, by)
    if back is None:
        return
    if by in building.names.lost:
        return
    if back.name != "link" or back.of is None or back.many or not building.names.is_kind_of(made.table, back.of):
        building.tell(merged, (*path, "by"), f'"{by}" of table "{target.name}" is no link to table "{made.table}"')


def _check_together(merged: Merged, path: BodyPath, made: Field, said: Mapping[str, object],
                    building: Building) -> None:
    """Properties that only make sense on some fields."""
    for key in ("among", "on_delete"):
        if key in said and made.type.name not in (("link",) if key == "among" else ("link", "any_link")):
            building.tell(merged, (*path, key), f'"{key}" is for links: field "{made.name}" is none')
    if "formula" in said:
        for key in ("required", "default", "suggest", "fill", "readonly", *(() if made.stored else ("search",))):
            if key in said:
                building.tell(merged, (*path, key), f'field "{made.name}" is computed: it cannot have "{key}"')
        if made.type.name == "any_link" or len(made.targets) > 1:
            building.tell(merged, (*path, "formula"), "what is worked out is a link to one table: name it in \"to\"")
        problem = stored_formulas.fault(building.names, made) if made.stored else None
        if problem is not None:
            building.tell(merged, (*path, "formula"), problem)
    elif said.get("stored") is True:
        building.tell(merged, (*path, "stored"), f'"stored" is for formulas: field "{made.name}" has none')
    if "fill" in said and "formula" not in said and (made.type.virtual or made.type.is_drawn):
        building.tell(merged, (*path, "fill"), f'a field of type "{made.type.name}" cannot be filled')
    if "search" in said and not made.type.searchable:
        building.tell(merged, (*path, "search"), f'a field of type "{made.type.name}" cannot be searched by words')
    elif said.get("search") == "contains" and made.many:
        building.tell(merged, (*path, "search"), "several values are searched by words only: write search: words")
