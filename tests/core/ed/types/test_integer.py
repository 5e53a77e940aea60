"""The type integer."""

from tests.core.ed.types.conformance import Conformance


class TestInteger(Conformance):
    definition = "{type: integer, min: -10, max: 5000000}"
    given = "7"
    values = (-5, 0, 1200)
    bad = ((1.5, "type"), ("5", "type"), (True, "type"), (-11, "too_small"), (5_000_001, "too_large"), (10**400, "range"))
    typed = (("1,200", 1200), ("1.200", 1200, "de"), ("１２", 12), ("\u22125", -5))
    mistyped = (("1.5", "whole"), ("1e3", "number"), ("12 000 000 000", "number"), ("9999999", "too_large"))
    shown = ((1200, "1,200"), (1200, "1.200", "de"))
    where = (("value >= 0", {1, 2}), ("value / 2 == 600", {2}), ("value is None", {-1}), ("not value > 0", {0, 1}))
