"""What people read of a query: its title, prompts, headings and values, in their language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.definition.texts import humanised

if TYPE_CHECKING:
    from core.definition.model import Field, Model
    from core.definition.queries import Query
    from core.ed.query import ResultColumn
    from core.types.base import Locale


def query_title(model: Model, query: Query, language: str) -> str:
    """What a query is called."""
    return model.text(f"query {query.name}.title", language) or query.title


def prompt(model: Model, field: Field, language: str) -> str:
    """What people are asked for a parameter."""
    return (model.text(f"{field.path}.prompt", language) or model.text(f"{field.path}.title", language)
            or field.title)


def column_title(model: Model, column: ResultColumn, language: str) -> str:
    """The heading of a column: its own title, that of the field it shows, or its name in words."""
    if column.title is not None:
        return model.text(column.path, language) or column.title
    if column.shown is not None:
        return model.text(f"{column.shown.path}.title", language) or column.shown.title
    return humanised(column.name)


def cell(model: Model, column: ResultColumn, row: Mapping[str, Any], locale: Locale) -> str:
    """A value as text: titles of links and choices, numbers and dates as the reader writes them."""
    value = row.get(column.name)
    if value is None:
        return ""
    if column.type.name == "link":
        title = row.get(f"{column.name}_title")
        titles = title if column.type.many else [title]
        ids = value if column.type.many else [value]
        return ", ".join(one or f"#{id_}" for one, id_ in zip(titles or ids, ids, strict=False))
    if column.type.name == "choice" and column.type.of in model.choices:
        return ", ".join(choice_title(model, column.type.of or "", one, locale.language)
                         for one in (value if isinstance(value, list) else [value]))
    return column.field.type.format(value, column.field.properties, locale)


def choice_title(model: Model, choices: str, value: str, language: str) -> str:
    """What a value of choices is called."""
    found = model.choices[choices].values.get(value)
    return model.text(f"choices {choices}.values.{value}.title", language) or (found.title if found else value)
