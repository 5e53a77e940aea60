"""The type color."""

from tests.core.ed.types.conformance import Conformance


class TestColor(Conformance):
    definition = "{type: color}"
    given = '"#ABC"'
    values = ("#000000", "#1a7f37", "#ff0000")
    bad = (("red", "color"), ("#12345", "color"), (5, "type"), ("#1a7f37;x", "color"))
    typed = (("1A7F37", "#1a7f37"), ("#fff", "#ffffff"))
    page = (("#1a7f37", 'fill="#1a7f37"'),)
    where = (("value == '#ff0000'", {2}), ("value is None", {-1}), ("starts_with(value, '#1A')", {1}))
