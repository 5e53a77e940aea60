"""The type rating."""

from tests.core.ed.types.conformance import Conformance


class TestRating(Conformance):
    definition = "{type: rating, max: 5}"
    given = 3
    values = (1, 3, 5)
    bad = ((0, "too_small"), (6, "too_large"), (True, "type"), ("3", "type"), (2.5, "type"))
    typed = (("3", 3), ("★★★", 3), ("★★☆☆☆", 2), ("4/5", 4), (" ", None))
    mistyped = (("2.5", "whole"), ("good", "number"), ("9", "too_large"))
    shown = ((4, "4/5"),)
    page = ((4, 'aria-label="4 of 5 stars"'), (4, "<span>★★★★</span>☆"))
    where = (("value >= 3", {1, 2}), ("value is None", {-1}), ("value * 2 == 6", {1}), ("value in [1, 5]", {0, 2}))
