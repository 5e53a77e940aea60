"""The shape of a kind's body, taken from its pydantic schema: where collections, lists and people's texts are."""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass, replace
from functools import lru_cache

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class Shape:
    """What stands at a place of a body: `collection` is a mapping of members by name."""

    collection: bool = False
    list: bool = False
    text: bool = False          # people read it, so it is translated
    model: type[BaseModel] | None = None
    inner: Shape | None = None  # of a collection's members

    @property
    def known(self) -> tuple[str, ...]:
        """The properties it may have; none if it is no mapping with known properties."""
        return tuple(_shapes(self.model)) if self.model is not None else ()

    def member(self, key: str) -> Shape:
        """The shape of a property or member."""
        if self.model is not None:
            return _shapes(self.model).get(key, ANY)
        return self.inner or ANY


ANY = Shape()


def shape_of(model: type[BaseModel]) -> Shape:
    """The shape of a schema."""
    return Shape(model=model)


@lru_cache(maxsize=512)
def _shapes(model: type[BaseModel]) -> dict[str, Shape]:
    return {info.alias or name: replace(_of(info.annotation), text=is_text(info))
            for name, info in model.model_fields.items()}


def is_text(info: FieldInfo) -> bool:
    """Whether a property of a schema is a text that people read."""
    return _marked(info.json_schema_extra) or _says_text(info.annotation)


def _says_text(annotation: object) -> bool:
    if typing.get_origin(annotation) is typing.Annotated:
        return any(_marked(getattr(one, "json_schema_extra", None)) for one in typing.get_args(annotation)[1:])
    return typing.get_origin(annotation) in (typing.Union, types.UnionType) \
        and any(map(_says_text, typing.get_args(annotation)))


def _marked(extra: object) -> bool:
    return isinstance(extra, dict) and extra.get("translated") is True


def _of(annotation: object) -> Shape:
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated:
        return _of(arguments[0])
    if origin in (typing.Union, types.UnionType):
        found = [_of(argument) for argument in arguments]
        return next((shape for shape in found if shape != ANY), ANY)
    if origin is dict:
        return Shape(collection=True, inner=_of(arguments[1]))
    if origin is list:
        return Shape(list=True)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Shape(model=annotation)
    return ANY
