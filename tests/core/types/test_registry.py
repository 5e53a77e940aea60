"""All built-in types alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import BadValue, Locale, registry
from core.types.link import Linked

OF = {"choice": {"of": "x"}, "link": {"to": "x"}, "lines": {"of": "x", "by": "y"}, "sequence": {"sequence": "x"},
      "expression": {"on": "x"}, "links": {"to": "x", "through": "y"}}
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: (st.lists(inner, max_size=3)
                                   | st.dictionaries(st.text(), inner, max_size=3)))


def test_the_built_in_types_are_these():
    assert sorted(registry()) == [
        "any_link", "boolean", "choice", "color", "date", "datetime", "decimal", "document", "duration", "email",
        "expression", "fax", "field", "file", "float", "html", "image", "integer", "json", "lines", "link", "links",
        "memo", "money", "percent", "phone", "rating", "sequence", "state", "table", "tags", "text", "time", "url"]


@pytest.mark.parametrize("name", sorted(registry()))
@given(value=JSON)
def test_any_json_is_a_value_or_refused_with_a_message(name, value):
    kind = registry()[name]
    p = kind.properties(**OF.get(name, {}))
    try:
        normal = kind.from_wire(value, p)
    except BadValue as error:
        assert error.code and error.message.format(**error.params)
    else:
        assert kind.validate(normal, p) == normal
        if name == "any_link" and normal is not None:       # the record service finds out the table
            normal = Linked(normal, place=1)
        assert len(kind.to_columns(normal, p)) == len(kind.parts(p))


@pytest.mark.parametrize("name", sorted(registry()))
@given(text=st.text())
def test_any_text_is_a_value_or_refused_with_a_message(name, text):
    kind = registry()[name]
    p = kind.properties(**OF.get(name, {}))
    try:
        normal = kind.parse(text, p, Locale("zh_CN", "Asia/Shanghai"))
    except BadValue as error:
        assert error.code and error.message.format(**error.params)
    else:
        assert kind.validate(normal, p) == normal


@pytest.mark.parametrize("name", sorted(registry()))
def test_nothing_stays_nothing(name):
    kind = registry()[name]
    p = kind.properties(**OF.get(name, {}))
    locale = Locale()
    assert kind.validate(None, p) is None
    assert kind.validate("", p) is None
    assert kind.parse("", p, locale) is None
    assert kind.from_wire(None, p) is None
    assert kind.format(None, p, locale) == ""
    assert all(part is None for part in kind.to_columns(None, p))
