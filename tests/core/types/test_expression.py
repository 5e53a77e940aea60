"""Expressions kept as data, as far as the type goes: a text; what it means is the record service's business."""

import pytest
from pydantic import ValidationError

from core.types.base import Type
from core.types.expression import expects


def test_it_is_a_text_of_several_lines(field):
    expression = field("expression", on="deal")
    assert expression.validate("a == 1\r\nand b") == "a == 1\nand b"
    assert expression.validate("") is None
    assert expression.parse(" amount > 3 ") == expression.validate(" amount > 3 ")
    assert expression.format("amount > 3") == "amount > 3"
    assert expression.parts() == [("", "text")]
    assert expression.type.expression_type(expression.p) == Type("text")


def test_no_control_characters_and_no_novels(field, refused):
    with refused("character"):
        field("expression", on="deal").validate("a\x00")
    with refused("too_long"):
        field("expression", on="deal").validate("x" * 2_001)


def test_it_gives_a_condition_or_what_is_said(field):
    assert expects(field("expression", on="deal").p) == "boolean"
    assert expects(field("expression", on="deal", gives="money").p) == "money"
    for properties in ({}, {"on": "deal", "gives": "novel"}):
        with pytest.raises(ValidationError):
            field("expression", **properties)
