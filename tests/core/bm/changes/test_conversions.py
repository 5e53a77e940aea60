"""Values of one type as values of another: pure functions of JSON, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from core.bm.changes.conversions import of, settled
from core.types.base import BadValue
from core.types.registry import registry

TYPES = registry()


def body(before: str, after: str, **more: Any) -> dict[str, Any]:
    def shape(said: str) -> dict[str, Any]:
        name, _, rest = said.partition(" ")
        pairs = (one.partition("=") for one in rest.split())
        properties = {key: True if value == "yes" else value for key, _, value in pairs}
        return {"type": name, "properties": {**({"of": "kind"} if name == "choice" else {}), **properties}}
    return {"from": shape(before), "to": shape(after), "zone": "Europe/Berlin", "language": "en", **more}


@pytest.mark.parametrize(("before", "after", "value", "found"), [
    ("date", "datetime", date(2026, 7, 1), datetime(2026, 6, 30, 22, tzinfo=UTC)),
    ("datetime", "date", datetime(2026, 6, 30, 22, tzinfo=UTC), date(2026, 7, 1)),
    ("date", "text", date(2026, 7, 1), "2026-07-01"),
    ("text", "date", "2026-07-01", date(2026, 7, 1)),
    ("datetime", "text", datetime(2026, 6, 30, 22, 30, tzinfo=UTC), "2026-07-01 00:30"),
    ("text", "datetime", "2026-07-01 00:30", datetime(2026, 6, 30, 22, 30, tzinfo=UTC)),
    ("integer", "text", 1500, "1500"),
    ("decimal", "text", Decimal("12.5"), "12.5"),
    ("text", "decimal", "12.5", Decimal("12.5")),
    ("tags", "text many=yes", ["a", "b"], ["a", "b"]),
    ("text many=yes", "tags", ["a", "b"], ["a", "b"]),
    ("integer", "boolean", 1, True),
    ("text", "text", None, None),
])
def test_what_becomes_what(before: str, after: str, value: Any, found: Any) -> None:
    assert of(body(before, after), TYPES)(value) == found


@pytest.mark.parametrize(("before", "after", "value"), [
    ("text", "integer", "twelve"), ("decimal", "integer", Decimal("1.5")), ("integer", "boolean", 2),
    ("integer", "percent", 101), ("text many=yes", "email", ["a@example.org", "b@example.org"]),
    ("text", "date", "soon"), ("memo", "text max=3", "too long"),
])
def test_what_means_nothing_is_told(before: str, after: str, value: Any) -> None:
    with pytest.raises(BadValue):
        of(body(before, after), TYPES)(value)
    assert settled(body(before, after), TYPES)(value) is None


def test_an_answer_stands_in_for_what_means_nothing() -> None:
    convert = settled(body("text", "integer", otherwise=0), TYPES)
    assert [convert(one) for one in ("12", "twelve", None)] == [12, 0, None]


def test_choices_go_by_what_they_are_called() -> None:
    assert of(body("choice", "text", titles={"ally": "An ally"}), TYPES)("ally") == "An ally"
    assert of(body("choice", "choice", values={"a": "c", "b": "c"}), TYPES)("b") == "c"
    assert of(body("choice many=yes", "choice many=yes", values={"a": "c", "b": "c"}), TYPES)(["a", "b"]) == ["c"]
    to_choice = of(body("text", "choice", named={"an ally": "ally"}), TYPES)
    assert to_choice("An Ally") == "ally"
    with pytest.raises(BadValue):
        to_choice("somebody")
    assert of(body("boolean", "choice", named={"yes": "on", "no": "off"}), TYPES)(True) == "on"
