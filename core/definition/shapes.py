"""The shape of a kind's body, taken from its pydantic schema: where the collections and the lists are."""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass
from functools import lru_cache

from pydantic import BaseModel


@dataclass(frozen=True)
class Shape:
    """What stands at a place of a body: `collection` is a mapping of members by name."""

    collection: bool = False
    list: bool = False
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
    return {info.alias or name: _of(info.annotation) for name, info in model.model_fields.items()}


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
