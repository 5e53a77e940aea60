"""The type date."""

from datetime import date, datetime

import pytest

from core.types import Locale

ZH = Locale("zh_CN")


def test_a_date_is_typed_in_iso_form_or_as_the_language_writes_it(field):
    day = date(2017, 3, 1)
    assert field("date").parse("2017-03-01") == day
    assert field("date").parse("2017-3-1") == day
    assert field("date").parse("3/1/2017") == day
    assert field("date").parse("Mar 1, 2017") == day
    assert field("date").parse("1 March 2017") == day
    assert field("date").parse("2017年3月1日", ZH) == day
    assert field("date").parse("2017/3/1", ZH) == day


@pytest.mark.parametrize("bad", ["2024-02-30", "infinity", "01-03-2017", "today", "2017-13-01", "１",
                                 "3/1/17", "Foo 1, 2017"])
def test_other_text_is_no_date(field, refused, bad):
    with refused("date"):
        field("date").parse(bad)


@pytest.mark.parametrize("bad", ["1899-12-31", "2201-01-01", "9999-12-31"])
def test_a_date_is_near(field, refused, bad):
    with refused("range"):
        field("date").parse(bad)
    with refused("range"):
        field("date").validate(date.fromisoformat(bad))


def test_a_date_is_not_a_moment(field, refused):
    with refused("type"):
        field("date").validate(datetime(2017, 3, 1))


def test_a_date_travels_in_iso_form(field, refused):
    assert field("date").to_wire(date(2017, 3, 1)) == "2017-03-01"
    assert field("date").from_wire("2017-03-01") == date(2017, 3, 1)
    assert field("date").from_wire("") is None
    for bad in ("2017-3-1", "3/1/2017", "10000-01-01", "2017-03-01T00:00:00Z"):
        with refused("date"):
            field("date").from_wire(bad)
    with refused("type"):
        field("date").from_wire(20170301)


def test_what_is_written_is_read_back_the_same(field):
    for month in range(1, 13):
        day = date(2017, month, 28)
        for locale in (Locale("en"), ZH):
            assert field("date").parse(field("date").format(day, locale), locale) == day
