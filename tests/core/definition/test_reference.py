"""The page of all kinds is complete and fresh."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from core.definition import reference
from core.definition.kinds import BUILT_IN, Kind


def test_the_page_says_what_the_schemas_say() -> None:
    page = reference.PAGE.read_text()
    assert page == reference.rewritten(page), "run: python -m core.definition.reference"


@pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: str(kind.name))
def test_every_property_has_a_description(kind: Kind) -> None:
    assert undescribed(kind.schema) == []


@pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: str(kind.name))
def test_no_property_is_called_like_a_kind_or_a_move(kind: Kind) -> None:
    words = {other.name for other in BUILT_IN} | {"change", "after", "before", "first", "last"}
    assert not words & set(kind.schema.model_fields)


def undescribed(model: type[BaseModel]) -> list[str]:
    found = [f"{model.__name__}.{name}" for name, info in model.model_fields.items()
             if not (info.description or "").endswith(".")]
    for info in model.model_fields.values():
        inner = reference.inner(info.annotation)
        if inner is not None:
            found += undescribed(inner)
    return found
