"""The type float."""

from tests.core.ed.types.conformance import Conformance


class TestFloat(Conformance):
    definition = "{type: float, min: -1000, max: 1000000, unit: kg}"
    given = 1.5
    values = (-2.5, 0.1, 0.30000000000000004, 1200.25)
    bad = (("NaN", "number"), ("Infinity", "number"), ("1e999", "number"), (1e15, "range"), (True, "type"),
           ([], "type"), (-1001, "too_small"), ("x", "number"))
    typed = (("1,200.25 kg", 1200.25), ("1e-3", 0.001), ("１．５", 1.5), ("1.200,25", 1200.25, "de"))
    mistyped = (("1e5000", "number"), ("twelve", "number"), ("5 lb", "number"))
    shown = ((1200.25, "1,200.25 kg"), (1200.25, "1.200,25 kg", "de"))
    page = ((0.1, "0.1\u202fkg"),)
    where = (("value > 0.1", {2, 3}), ("value == 0.3", {2}), ("value + 0.2 == 0.3", {1}), ("value is None", {-1}))


def test_fifteen_digits_are_kept_and_sums_are_exact(field):
    number = field("float")
    assert str(number.validate(0.1 + 0.2)) == "0.3"
    assert str(number.validate(123456789.123456789)) == "123456789.123457"
    assert number.to_wire(number.validate(2)) == 2.0
    assert number.validate(1e-40) == 0
