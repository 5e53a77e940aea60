"""Names: what one may be, and the nearest to a slip of the pen."""

from __future__ import annotations

import pytest

from core.definition.names import PAGES, fault, suggestion
from core.web.routes import ROUTES


@pytest.mark.parametrize("name", ["a", "company", "order_2", "x" * 49, "select", "user", "match"])
def test_a_plain_name_is_fine_even_if_sql_knows_it(name: str) -> None:
    assert fault(name) is None


@pytest.mark.parametrize("name", ["", "A", "2nd", "_x", "a-b", "a b", "x" * 50, "class", "constructor", "\u0430",
                                  "\ufb01eld", "a\u200bb", None, 5, "None", "outer", "record"])
def test_anything_else_is_not(name: object) -> None:
    assert fault(name) is not None


def test_no_object_can_hide_a_page_of_core() -> None:
    first = {route.rule.split("/")[1] for route in ROUTES}
    pages = {part for part in first if part and "<" not in part and fault(part) is None}
    assert pages <= PAGES


@pytest.mark.parametrize(("slip", "meant"), [
    ("regoin", "region"), ("compny", "company"), ("amuont", "amount"), ("zzz", None), ("x", None)])
def test_a_slip_is_told_from_another_word(slip: str, meant: str | None) -> None:
    expected = f' (did you mean "{meant}"?)' if meant else ""
    assert suggestion(slip, ["company", "region", "amount", "stage"]) == expected
