"""The type datetime."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.types import Locale

MOMENT = datetime(2017, 3, 1, 8, 30, tzinfo=UTC)
SHANGHAI = Locale("zh_CN", "Asia/Shanghai")


def test_a_moment_is_typed_in_the_readers_zone_and_kept_in_utc(field):
    assert field("datetime").parse("2017-03-01 16:30", SHANGHAI) == MOMENT
    assert field("datetime").parse("2017年3月1日 16:30", SHANGHAI) == MOMENT
    assert field("datetime").parse("2017-03-01T08:30:00Z", SHANGHAI) == MOMENT
    assert field("datetime").parse("Mar 1, 2017 08:30") == MOMENT
    assert field("datetime").parse("2017-03-01") == MOMENT.replace(hour=0, minute=0)


@pytest.mark.parametrize("bad", ["2017-03-01 25:00", "2017-03-01 10:61"])
def test_a_clock_has_limits(field, refused, bad):
    with refused("datetime"):
        field("datetime").parse(bad)


def test_a_moment_needs_a_zone(field, refused):
    with refused("zone"):
        field("datetime").validate(datetime(2017, 3, 1))
    with refused("datetime"):
        field("datetime").from_wire("2017-03-01T08:30:00")


def test_a_moment_travels_in_utc(field, refused):
    east = datetime(2017, 3, 1, 16, 30, tzinfo=timezone(timedelta(hours=8)))
    assert field("datetime").to_wire(field("datetime").validate(east)) == "2017-03-01T08:30:00Z"
    assert field("datetime").from_wire("2017-03-01T16:30:00+08:00") == MOMENT
    for bad in ("2017-02-30T00:00:00Z", "infinity", "2017-03-01T08:30:00+99:99", "10000-01-01T00:00:00Z"):
        with refused("datetime"):
            field("datetime").from_wire(bad)
    with refused("range"):
        field("datetime").from_wire("9999-12-31T23:59:59Z")
    with refused("range"):
        field("datetime").from_wire("0001-01-01T00:00:00+01:00")


def test_what_is_written_is_read_back_the_same(field):
    for locale in (Locale("en", "Europe/Berlin"), SHANGHAI):
        assert field("datetime").parse(field("datetime").format(MOMENT, locale), locale) == MOMENT
