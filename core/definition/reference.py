"""The reference of all kinds, from their schemas; `python -m core.definition.reference` rewrites the page."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from core.definition.kinds import BUILT_IN, Kind
from core.definition.kinds.form import TAGS
from core.types.registry import registry

PAGE = Path(__file__).resolve().parents[2] / "docs" / "definitions.md"
MARK = "<!-- All below is written by `python -m core.definition.reference`. -->"
WORDS = {str: "text", bool: "true or false", int: "whole number", float: "number"}


def reference() -> str:
    """The reference as Markdown: kinds with their properties, types of fields, elements of forms."""
    parts = [MARK, "", "## Kinds", ""]
    seen: dict[type[BaseModel], str] = {}
    for kind in BUILT_IN:
        parts += _kind(kind, seen)
    parts += _types()
    parts += _elements()
    return "\n".join([*parts, "", "\\* must be there", ""])


def _types() -> Iterator[str]:
    yield from ("## Types of fields", "", "Beside the properties of every field, a field has those of its type.", "",
                "| type | what it holds | its properties |", "|---|---|---|")
    for name, kind in registry().items():
        properties = _sentence(kind.properties) if kind.properties.model_fields else ""
        yield f"| `{name}` | {_sentence(type(kind))} | {properties} |"


def _elements() -> Iterator[str]:
    yield from ("", "## Elements of forms", "", "| element | attributes | holds |", "|---|---|---|")
    for name, tag in TAGS.items():
        attributes = "; ".join(f"`{key}`{'*' if key in tag.needs else ''}: {text}"
                               for key, text in tag.attributes.items())
        holds = ", ".join(f"`<{child}>`" for child in tag.children)
        yield f"| `<{name}>` {tag.help} | {attributes} | {holds} |"


def _kind(kind: Kind, seen: dict[type[BaseModel], str]) -> Iterator[str]:
    where = f"`{kind.folder}/*{kind.suffix}`" if kind.folder else f"`{kind.name}{kind.suffix}`"
    yield from (f"### {kind.name}", "", f"{_sentence(kind.schema)} In {where}.", "")
    waiting: list[tuple[str, type[BaseModel]]] = [("", kind.schema)]
    while waiting:
        title, model = waiting.pop(0)
        if model in seen:
            yield from (f"**`{title}`**: as `{title}` of {seen[model]}, above.", "")
            continue
        seen[model] = kind.name
        if title:
            yield from (f"**`{title}`**: {_sentence(model)}", "")
        yield from ("| property | value | meaning |", "|---|---|---|")
        for name, info in model.model_fields.items():
            key = info.alias or name
            yield f"| `{key}`{'*' if info.is_required() else ''} | {value_word(info)} | {info.description} |"
            below = inner(info.annotation)
            if below is not None:
                path = f"{title}.{key}" if title else key
                waiting.append((f"{path}.NAME" if _is_mapping(info.annotation) else path, below))
        yield ""


def value_word(info: FieldInfo) -> str:
    """What kind of value a property takes, in words."""
    extra = info.json_schema_extra
    if isinstance(extra, dict) and "word" in extra:
        return str(extra["word"])
    return _word(info.annotation)


def _word(annotation: object) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        extras = (getattr(one, "json_schema_extra", None) for one in arguments[1:])
        return next((str(extra["word"]) for extra in extras if extra and "word" in extra), _word(arguments[0]))
    if origin in (typing.Union, UnionType):
        return " or ".join(_word(one) for one in arguments if one is not NoneType)
    if origin is typing.Literal:
        return ", ".join(f"`{one}`" for one in arguments)
    if origin is list:
        return f"list of {_plural(_word(arguments[0]))}" if arguments[0] is not typing.Any else "elements"
    if origin is dict:
        members = "" if inner(annotation) else f" of {_plural(_word(arguments[1]))}"
        return f"mapping by {_word(arguments[0])}{members}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mapping"
    return WORDS.get(annotation, "value") if isinstance(annotation, type) else "value"


def _plural(word: str) -> str:
    return word if word.startswith(("`", "path or", "value", "mapping")) else word + "s"


def inner(annotation: object) -> type[BaseModel] | None:
    """The schema of a mapping or of a collection's members."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in typing.get_args(annotation) if (found := inner(one))), None)


def _is_mapping(annotation: object) -> bool:
    return typing.get_origin(annotation) is dict


def _sentence(thing: type) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((thing.__doc__ or "").strip().split("\n\n")[0].split())


def rewritten(page: str) -> str:
    """The page with its generated part as it should be."""
    return page.partition(MARK)[0] + reference()


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text()))
