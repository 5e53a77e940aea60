"""The type money."""

from decimal import Decimal

import pytest

from core.types import Locale


def test_money_has_two_decimals_and_is_never_rounded(field, refused):
    money = field("money")
    assert str(money.validate(550)) == "550.00"
    assert str(money.validate(Decimal("1.5"))) == "1.50"
    with refused("scale"):
        money.validate(Decimal("1.005"))


@pytest.mark.parametrize("bad", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")])
def test_money_is_finite(field, refused, bad):
    with refused("number"):
        field("money").validate(bad)


def test_money_travels_as_a_string(field, refused):
    money = field("money")
    assert money.to_wire(Decimal("12.50")) == "12.50"
    assert money.from_wire("12.5") == Decimal("12.50")
    with refused("type"):
        money.from_wire(12.5)


def test_money_has_a_base_part_that_the_record_service_fills(field):
    money = field("money")
    assert money.parts() == [("", "numeric"), ("base", "numeric")]
    assert money.columns(Decimal("5.00")) == (Decimal("5.00"), None)
    assert str(money.back(Decimal("5"), Decimal("5.5"))) == "5.00"


def test_money_is_written_with_its_decimals(field, refused):
    money = field("money")
    assert money.format(Decimal("1234.50")) == "1,234.50"
    assert money.format(Decimal("1234.50"), Locale("de")) == "1.234,50"
    assert money.format(None) == ""
    with refused("number"):
        money.parse("5 EUR")


def test_money_may_have_bounds(field, refused):
    with refused("too_small"):
        field("money", min=0).validate(Decimal("-0.01"))
