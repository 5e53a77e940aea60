"""The type integer."""

import pytest

from core.types import Locale


def test_an_integer_is_read_with_the_separators_of_the_language(field, refused):
    integer = field("integer")
    assert integer.parse("1,234,567") == 1234567
    assert integer.parse("1.234.567", Locale("de")) == 1234567
    assert integer.parse(" -7 ") == -7
    assert integer.parse("４２", Locale("zh_CN")) == 42
    assert integer.parse("") is None
    with refused("number"):
        integer.parse("1,23")
    with refused("number"):
        integer.parse("1e3")
    with refused("whole"):
        integer.parse("1.5")


@pytest.mark.parametrize("bad", [True, "1", 1.0, [], {}])
def test_the_wire_takes_json_integers_only(field, refused, bad):
    with refused("type"):
        field("integer").from_wire(bad)


def test_an_integer_has_bounds(field, refused):
    year = field("integer", min=1000, max=2100, group=False)
    assert year.validate(1996) == 1996
    with refused("too_small"):
        year.validate(999)
    with refused("too_large"):
        year.validate(2101)
    with refused("range"):
        field("integer").validate(10**15)
    with refused("range"):
        field("integer").validate(-10**5000)


def test_an_integer_is_written_in_groups_unless_it_is_a_year(field):
    assert field("integer").format(1234567) == "1,234,567"
    assert field("integer").format(1234567, Locale("de")) == "1.234.567"
    assert field("integer", group=False).format(1996) == "1996"
    assert field("integer").format(None) == ""
