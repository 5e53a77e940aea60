"""The words that schemas of kinds are written in: texts, names, paths, conditions and values."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from core.definition.names import fault

_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,48}")


class Schema(BaseModel):
    """A mapping with known properties, each with a description; anything else in it is an error."""

    # a command needs the validators of few kinds: each is built when it is first used
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


def _name(value: object) -> object:
    wrong = fault(value)
    if wrong is not None:
        raise PydanticCustomError("name", "{wrong}", {"wrong": wrong})
    return value


def _value_name(value: object) -> object:
    if not isinstance(value, str):
        raise PydanticCustomError("name", "a value's name is a text: put it in quotes")
    if not _VALUE.fullmatch(value):
        raise PydanticCustomError("name", '"{name}" cannot be a value: it is letters, digits and _, at most 49',
                                  {"name": value[:60]})
    return value


def _path(value: object) -> object:
    if not isinstance(value, str) or not value or not all(part.isidentifier() for part in value.split(".")):
        raise PydanticCustomError("path", "a path is names with dots between them, such as company.city")
    return value


def _order(value: object) -> object:
    path, _, word = value.partition(" ") if isinstance(value, str) else ("", "", "")
    if word.strip().lower() in ("asc", "desc"):
        raise PydanticCustomError("order", "{path} is written for the smallest first, -{path} for the largest",
                                  {"path": path})
    return "-" + str(_path(value[1:])) if isinstance(value, str) and value.startswith("-") else _path(value)


def _expression(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise PydanticCustomError("expression", "an expression is expected here")
    text = str(value)
    if text.startswith("="):
        raise PydanticCustomError("expression", 'an expression is expected here, so it has no "=" before it')
    return text


def _condition(value: object) -> object:
    return value if isinstance(value, bool) else _expression(value)


def _names(value: object) -> object:
    values = value if isinstance(value, list) else [value]
    return [_name(item) for item in values]


def _right(value: object) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        return [_name(item) for item in value]
    raise PydanticCustomError("right", "true, false or a list of record roles is expected here")


def _value(value: object) -> object:
    if isinstance(value, dict):
        raise PydanticCustomError("value", "a value is expected here; an expression begins with = and may need quotes")
    return value


def _one_line(value: object) -> object:
    if not isinstance(value, str):
        raise PydanticCustomError("text", "a text is expected here: put it in quotes")
    if not value.strip():
        raise PydanticCustomError("text", "this text is empty: leave it out, or say something")
    return value


# A Text is for people and is translated; a Line is for the system.
Text = Annotated[str, BeforeValidator(_one_line), Field(json_schema_extra={"word": "text", "translated": True})]
Line = Annotated[str, BeforeValidator(_one_line), Field(json_schema_extra={"word": "text"})]
Name = Annotated[str, BeforeValidator(_name), Field(json_schema_extra={"word": "name"})]
ValueName = Annotated[str, BeforeValidator(_value_name), Field(json_schema_extra={"word": "name of a value"})]
Names = Annotated[list[str], BeforeValidator(_names), Field(json_schema_extra={"word": "name, or list of names"})]
Path = Annotated[str, BeforeValidator(_path), Field(json_schema_extra={"word": "path"})]
Order = Annotated[str, BeforeValidator(_order), Field(json_schema_extra={"word": "path or -path"})]
Expression = Annotated[str, BeforeValidator(_expression), Field(json_schema_extra={"word": "expression"})]
Color = Literal["blue", "azure", "indigo", "purple", "pink", "red", "orange", "yellow", "lime", "green", "teal", "cyan",
                "gray"]
Condition = Annotated[Any, BeforeValidator(_condition),
                      Field(json_schema_extra={"word": "true, false or expression"})]
Value = Annotated[Any, BeforeValidator(_value), Field(json_schema_extra={"word": "value, or = and an expression"})]
Plain = Annotated[Any, BeforeValidator(_value), Field(json_schema_extra={"word": "value"})]
Right = Annotated[Any, BeforeValidator(_right),
                  Field(json_schema_extra={"word": "true, false or list of record roles"})]
