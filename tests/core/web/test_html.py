"""Pieces of HTML escape what they are given."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from core.web.html import Piece


def test_values_are_escaped_unless_they_are_markup() -> None:
    piece = Piece('<a href="{}">{}</a>')
    assert piece('"x"', Markup("<b>y</b>")) == Markup('<a href="&#34;x&#34;"><b>y</b></a>')
    assert isinstance(piece(1, None), Markup)


def test_a_value_is_never_a_pattern() -> None:
    assert Piece("{}|100%|{}")("{}", "%s") == Markup("{}|100%|%s")


@pytest.mark.parametrize("values", [(), ("one",), ("one", "two", "three")])
def test_each_place_takes_one_value(values: tuple[str, ...]) -> None:
    with pytest.raises(TypeError):
        Piece("{}{}")(*values)
