"""What people and callers give to a query, a function, a report or an agent: fields that no table stores."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from pydantic import ConfigDict
from pydantic import Field as Property

from core.definition.building import NO_VARIABLES, Building
from core.definition.kinds.fields import check_target, check_value, literal, typed
from core.definition.kinds.schema import Condition, Expression, Name, Path, Schema, Text, Value
from core.definition.model import Field
from core.definition.names import suggestion
from core.definition.scope import ModelScope, Written
from core.definition.texts import humanised
from core.definition.values import BodyPath, Merged, value_at
from core.expression.scope import Argument
from core.types.table import TableType

if TYPE_CHECKING:
    from core.types.base import FieldType, Type

ASKED: Mapping[str, FieldType[Any]] = {"table": TableType()}    # types that only what an agent asks can have
_AMOUNT = re.compile(r"\s*([+-]?\d{1,15}(?:\.\d{1,6})?)\s+([A-Z]{3})\s*")


@dataclass(frozen=True)
class Amount:
    """Money in a currency that is not the system's own; it becomes base currency where it is used."""

    number: Decimal
    currency: str


class ParameterSchema(Schema):
    """A parameter; the properties of its type stand beside these."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    type: Name | None = Property(None, description="The type: one of those of fields, or in what an agent asks also "
                                 "`table`, the name of a table under the base `of`.")
    like: Path | None = Property(None, description="The field whose type, title and help it has, such as "
                                 "ticket.title; instead of a type.")
    title: Text | None = Property(None, description="What people call it; the prompt, or the name in words, if left "
                                  "out.")
    prompt: Text | None = Property(None, description="What people are asked; the title if left out.")
    help: Text | None = Property(None, description="A sentence shown beside it.")
    required: Condition = Property(None, description="Whether it must be given, or when. If left out: where it has no "
                                   "default; what an agent asks may stay empty.")
    default: Value = Property(None, description="Its value if none is given; money may name its currency, such as "
                              "1000 EUR.")
    among: Expression | None = Property(None, description="The condition that records must meet to be chosen; bare "
                                        "names are fields of the linked table.")


class AskedSchema(ParameterSchema):
    """What an agent asks; the properties of its type stand beside these."""

    pick: bool = Property(False, description="True: people pick from the lines that are its default.")


def argument(field: Field) -> Argument:
    """A parameter as expressions know it.

    Money with a currency that is not the system's own is no default of an Argument: who calls must give an amount.
    """
    default = field.written.get("default")
    required = field.written.get("required") is True or isinstance(default, Amount)
    if isinstance(default, Written):
        return Argument(field.expression_type, required, None, default.source)
    return Argument(field.expression_type, required, None if isinstance(default, Amount) else default)


def parameter_fields(building: Building, merged: Merged, path: BodyPath, schema: Mapping[str, ParameterSchema],
                     given: Mapping[str, Type] = NO_VARIABLES, asked: bool = False) -> dict[str, Field]:
    """The parameters as fields that belong to no table, in order; `given` are the variables their expressions know."""
    made = {name: _field(building, merged, (*path, name), name, one, given, asked) for name, one in schema.items()}
    building.names.lost |= {name for name, field in made.items() if field is None}
    return {name: field for name, field in made.items() if field is not None}


def check_parameters(building: Building, merged: Merged, path: BodyPath, fields: Mapping[str, Field]) -> None:
    """Tell what is wrong with what parameters name: tables, choices, defaults, conditions.

    Those that are not written at the path are parameters of what is read, and are checked there.
    """
    for name, field in fields.items():
        place: BodyPath = (*path, name)
        if value_at(merged.body, place) is None:
            continue
        if value_at(merged.body, (*place, "like")) is None:
            _check_named(merged, place, field, building)
        for key in ("required", "among"):
            if isinstance(field.written.get(key), Written):
                building.check(merged, (*place, key), cast(Written, field.written[key]))
        if "default" in field.written and not isinstance(field.written["default"], Amount):
            check_value(merged, (*place, "default"), field.written["default"], field, building)
        if field.type.name == "table":
            _check_table(merged, place, field, building)


def split_amount(text: str) -> tuple[str, str | None]:
    """An amount as people write it, and the currency they name behind it."""
    match = _AMOUNT.fullmatch(text)
    return (match[1], match[2]) if match else (text, None)


def _field(building: Building, merged: Merged, path: BodyPath, name: str, schema: ParameterSchema,
           given: Mapping[str, Type], asked: bool) -> Field | None:
    found = _like(building, merged, path, schema) if schema.like else _typed(building, merged, path, name, schema)
    if found is None:
        return None
    kind, properties, like = found
    if not asked and (kind.name in ASKED or kind.virtual or kind.is_file):
        building.tell(merged, (*path, "like" if schema.like else "type"),
                      f'a parameter cannot be of type "{kind.name}": only what an agent asks can')
        return None
    if _picks(schema) and not kind.virtual:
        building.tell(merged, (*path, "pick"), f'"pick" is for lines: parameter "{name}" holds none')
    if schema.among is not None and kind.name != "link":
        building.tell(merged, (*path, "among"), f'"among" is for links: parameter "{name}" is none')
    title = schema.title or schema.prompt or (like.title if like else humanised(name))
    made = Field("", name, kind, properties, title, schema.help or (like.help if like else ""),
                 path=merged.text_path(path))
    return replace(made, written=_written(building, merged, path, schema, made, given, asked))


def _picks(schema: ParameterSchema) -> bool:
    return isinstance(schema, AskedSchema) and schema.pick


def _typed(building: Building, merged: Merged, path: BodyPath, name: str,
           schema: ParameterSchema) -> tuple[FieldType[Any], Any, None] | None:
    if schema.type is None:
        building.tell(merged, path, f'parameter "{name}" has neither "type" nor "like"')
        return None
    found = typed(merged, path, schema.type, schema, building, {**building.types, **ASKED})
    return (*found, None) if found else None


def _like(building: Building, merged: Merged, path: BodyPath,
          schema: ParameterSchema) -> tuple[FieldType[Any], Any, Field] | None:
    """The type of the field it is like."""
    wrong = ["type"] if schema.type else [*(schema.model_extra or {})]
    for key in wrong:
        building.tell(merged, (*path, key), f'"like" says the type: "{key}" cannot be set beside it')
    table, dot, name = (schema.like or "").partition(".")
    if not dot or "." in name:
        building.tell(merged, (*path, "like"), "a table and its field are expected here, such as ticket.title")
        return None
    if building.find(merged, (*path, "like"), "table", table) is None:
        return None
    if building.field(merged, (*path, "like"), table, name) is None:
        return None
    field = building.names.field(table, name)
    if field is None:
        building.tell(merged, (*path, "like"), f'"{name}" is no field: every record has one already')
        return None
    return (field.type, field.properties, field) if not wrong else None


def _written(building: Building, merged: Merged, path: BodyPath, schema: ParameterSchema, made: Field,
             given: Mapping[str, Type], asked: bool) -> dict[str, object]:
    """Conditions and default as written: literals in normal form, expressions not yet parsed."""
    result: dict[str, object] = {}
    scope = building.scope(None, given)
    if schema.required is not None:
        result["required"] = schema.required if isinstance(schema.required, bool) else \
            Written(schema.required, scope, "boolean")
    elif not asked:
        result["required"] = schema.default is None
    if schema.default is not None:
        result["default"] = _default(building, merged, (*path, "default"), schema.default, made, scope)
    if schema.among is not None:
        result["among"] = Written(schema.among, building.scope(made.target, given), "boolean")
    if _picks(schema):
        result["pick"] = True
    return result


def _default(building: Building, merged: Merged, path: BodyPath, value: object, made: Field,
             scope: ModelScope) -> object:
    if isinstance(value, str) and value.startswith("="):
        return Written(value[1:], scope, "records" if made.type.is_lines else made.expression_type)
    if made.target is not None:
        building.tell(merged, path, "the value of a link or of lines is an expression: write = before it, such as "
                                    "=user")
        return None
    currency = None
    if made.type.name == "money" and isinstance(value, str):
        value, currency = split_amount(value)
    normal = literal(merged, path, value, made, building)
    if currency is None or normal is None or currency == _currency(building):
        return normal
    return Amount(cast(Decimal, normal), currency)


def _currency(building: Building) -> str:
    from core.definition.model import SystemSettings
    return next(iter(building.values.get("system", {}).values()), SystemSettings()).currency


def _check_named(merged: Merged, path: BodyPath, field: Field, building: Building) -> None:
    if field.type.is_lines:
        building.tell(merged, (*path, "type"), 'lines are asked like those of a table: write "like", such as '
                                               "quote.lines")
    else:
        check_target(merged, path, field, building)


def _check_table(merged: Merged, path: BodyPath, field: Field, building: Building) -> None:
    """A base with tables under it, and a default that is one of them."""
    base = field.expression_type.of or ""
    found = building.find(merged, (*path, "of"), "table", base)
    default = field.written.get("default")
    if found is None or not isinstance(default, str):
        return
    if building.find(merged, (*path, "default"), "table", default) is None:
        return
    if not building.names.is_kind_of(default, base):
        building.tell(merged, (*path, "default"), f'table "{default}" is not under "{base}"'
                      + suggestion(default, building.names.tables[base].kinds))
