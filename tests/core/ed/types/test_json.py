"""The type json."""

from tests.core.ed.types.conformance import Conformance


class TestJson(Conformance):
    definition = "{type: json, max: 2000}"
    given = "[1, true]"
    sorts = False
    values = ({"b": 1, "a": [1.5, None, True, "é"]}, [1], "text", 5, False, {"n": 1e20, "m": -0.0, "d": 1.5e-7})
    bad = (({"a": "x\x00"}, "character"), ({"a": "\ud800"}, "character"), (["x" * 3000], "too_long"),
           (float("nan"), "number"), ({"a": float("inf")}, "number"), (10**400, "range"))
    typed = (('{"b": 1, "a": 2}', {"a": 2, "b": 1}), ("  ", None), ("{}", None), ("[]", None))
    mistyped = (("{a: 1}", "json"), ("[" * 5000, "json"), ("NaN", "json"))
    page = (({"a": "<script>"}, "&lt;script&gt;"),)
    where = (("value is None", {-1}), ("value is not None", {0, 1, 2, 3, 4, 5}))


def test_one_is_not_true_and_depth_is_bounded(field, refused):
    data = field("json")
    assert data.from_wire({"a": 1}) != data.from_wire({"a": True})
    deep = []
    for _ in range(30):
        deep = [deep]
    with refused("depth"):
        data.from_wire(deep)
    with refused("type"):
        data.from_wire({1: 2})
