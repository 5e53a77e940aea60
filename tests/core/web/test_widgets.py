"""Widgets: drawn text is escaped, types of addons are drawn by the addon's own, and unknown ones still read."""

from __future__ import annotations

import types
from dataclasses import replace

import pytest
from markupsafe import Markup

from core.hookspecs import hook
from core.plugins import Plugins
from core.types.text import TextType
from core.web.binding import bind
from core.web.list_view import list_view
from core.web.widgets import Control, Entry, Widget, widget_of
from tests.core.web.site import Site
from tests.work import calls

EVIL = '"><img src=x onerror=alert(1)>'


class StarsWidget(Widget):
    """Draws every text as stars."""

    name = "text"

    def read(self, bound):
        return lambda record, viewer: Markup("*") * len(record.get(bound.path) or "")


def test_an_addon_draws_a_type_by_its_own_widget(site: Site) -> None:
    plugin = types.SimpleNamespace(widgets=hook(lambda: [StarsWidget()]))
    plugins = Plugins()
    plugins.add("stars", plugin)
    with site.records() as records:
        system = records.session.system
        system.plugins = plugins
        system.cache = type(system.cache)()
        bound = bind(system, "company", "name", "en")
        assert bound is not None
        assert widget_of(system, bound.field).read(bound)({"name": "abc"}, None) == "***"


def test_a_type_without_a_widget_is_read_by_its_own_format(site: Site) -> None:
    with site.records() as records:
        system = records.session.system
        bound = bind(system, "company", "name", "en")
        assert bound is not None
        odd = type("OddType", (TextType,), {"name": "odd", "format": lambda self, value, p, locale: f"<{value}>"})()
        bound = replace(bound, field=replace(bound.field, type=odd))
        viewer = types.SimpleNamespace(locale=None)
        assert widget_of(system, bound.field).read(bound)({"name": "x"}, viewer) == "&lt;x&gt;"


@pytest.mark.parametrize("name", ["a_text", "a_memo", "a_choice", "choices", "a_link", "links", "an_email", "a_phone",
                                  "a_url", "a_sequence", "an_expression"])
def test_no_value_becomes_markup(site: Site, name: str) -> None:
    browser_viewer = types.SimpleNamespace(locale=types.SimpleNamespace(language="en", zone="UTC"))
    with site.records() as records:
        system = records.session.system
        bound = bind(system, "specimen", name, "en")
        assert bound is not None
        widget = widget_of(system, bound.field)
        many = bound.field.many
        value = ([1] if many else 1) if "link" in name else [EVIL] if many else EVIL
        record = {name: value, f"{name}_title": [EVIL] if many else EVIL, "id": 1}
        for drawn in (widget.read(bound)(record, browser_viewer), widget.cell(bound)(record, browser_viewer),
                      widget.edit(bound)(Entry((EVIL,), (EVIL,)), _control(name), browser_viewer)):
            assert "<img" not in str(drawn)


def _control(name: str) -> Control:
    return Control(name, f"f-{name}", EVIL, True, True, EVIL)


def test_a_row_is_drawn_by_a_handful_of_calls(site: Site) -> None:
    with site.records() as records:
        session = records.session
        for number in range(3):
            records.create("deal", [{"name": f"Deal {number}"}])
        view = list_view(session.system, "deal", "deal", "en", records.readable("deal"), "test")
        rows = list(records.page("deal", view.fields, limit=3).records) * 27
        viewer = types.SimpleNamespace(locale=types.SimpleNamespace(language="en", zone="UTC"))
        view.rows(rows, "/deals", viewer, "Record")
        assert calls(lambda: view.rows(rows[:80], "/deals", viewer, "Record")) < 80 * 12 * len(view.columns)
