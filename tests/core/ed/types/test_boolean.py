"""The type boolean."""

from core.web.binding import bind
from core.web.widgets import Control, widget_of
from tests.core.ed.types.conformance import Conformance, posted


class TestBoolean(Conformance):
    definition = "{type: boolean}"
    given = "true"
    values = (False, True)
    bad = (("yes", "type"), (1, "type"), (0, "type"))
    typed = (("Yes", True), ("否", False), ("on", True), ("", None))
    mistyped = (("maybe", "boolean"),)
    shown = ((True, "Yes"), (False, "否", "zh_CN"))
    page = ((True, "Yes"),)
    where = (("value", {1}), ("not value", {0, -1}), ("value is None", {-1}), ("value == False", {0}))

    def test_a_page_shows_it_and_a_form_brings_it_back(self, made, records, viewer, normal):
        """A mark is set or not: what was never said comes back as no."""
        bound = bind(made.system, "thing", "value", "en")
        widget = widget_of(made.system, bound.field)
        for record in records.read("thing", made.ids):
            entry = widget.entry(bound, record, viewer)
            html = widget.edit(bound)(entry, Control("value", "f-value"), viewer)
            back = widget.posted(bound, posted(html), "value")
            assert widget.value(bound, back, viewer) is bool(record["value"])
