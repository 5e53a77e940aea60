"""The type percent."""

from tests.core.ed.types.conformance import Conformance


class TestPercent(Conformance):
    definition = "{type: percent, scale: 1}"
    given = "50"
    values = ("0", "12.5", "100")
    bad = (("100.1", "too_large"), ("-1", "too_small"), ("12.55", "scale"), ("NaN", "number"), (0.5, "type"))
    typed = (("12.5 %", "12.5"), ("12,5％", "12.5", "de"), ("50", "50"))
    mistyped = (("half", "number"),)
    shown = (("12.5", "12.5%"),)
    where = (("value >= 12.5", {1, 2}), ("200 * value / 100 == 25", {1}), ("value is None", {-1}))
