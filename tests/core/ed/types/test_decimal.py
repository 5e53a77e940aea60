"""The type decimal."""

from tests.core.ed.types.conformance import Conformance


class TestDecimal(Conformance):
    definition = "{type: decimal, scale: 3, max: 1000}"
    given = "1.5"
    values = ("-0.125", "0", "12.5", "999.999")
    bad = (("NaN", "number"), ("Infinity", "number"), (1.5, "type"), ("1.0005", "scale"), ("1e3", "number"),
           ("1000.001", "too_large"), ("1" * 41, "number"), (10**12, "too_large"))
    typed = (("12.50", "12.5"), ("12,5", "12.5", "de"), (".5", "0.5"))
    mistyped = (("1.0005", "scale"), ("nan", "number"))
    shown = (("999.999", "999.999"), ("12.5", "12,5", "de"))
    where = (("value > 12", {2, 3}), ("value * 8 == -1", {0}), ("value is None", {-1}))
