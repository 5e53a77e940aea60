"""The type decimal."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import BadValue, Locale, registry


def test_a_decimal_is_exact_and_normal(field):
    decimal = field("decimal")
    assert str(decimal.validate(Decimal("1.500"))) == "1.5"
    assert str(decimal.validate(Decimal("1E+3"))) == "1000"
    assert str(decimal.validate(Decimal("-0.0"))) == "0"
    assert decimal.validate(3) == 3


@pytest.mark.parametrize("bad", [Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity")])
def test_a_decimal_is_finite(field, refused, bad):
    with refused("number"):
        field("decimal").validate(bad)


def test_a_decimal_is_never_rounded(field, refused):
    with refused("scale"):
        field("decimal", scale=2).validate(Decimal("1.005"))
    with refused("range"):
        field("decimal").validate(Decimal(10) ** 15)
    with refused("range"):
        field("decimal").validate(Decimal("1E+400"))


def test_a_decimal_is_typed_as_the_language_writes_it(field, refused):
    assert field("decimal").parse("1,234.5") == Decimal("1234.5")
    assert field("decimal").parse("1.234,5", Locale("de")) == Decimal("1234.5")
    assert field("decimal").parse(".5") == Decimal("0.5")
    for bad in ("1.2.3", "NaN", "inf", "0x10", "1_000", "--1", "12abc", "1,2,3"):
        with refused("number"):
            field("decimal").parse(bad)


def test_a_decimal_travels_as_a_string(field, refused):
    decimal = field("decimal")
    assert decimal.to_wire(Decimal("12.5")) == "12.5"
    assert decimal.to_wire(Decimal("1E+3")) == "1000"
    assert decimal.from_wire("12.50") == Decimal("12.5")
    assert decimal.from_wire(12) == 12
    with refused("type"):
        decimal.from_wire(12.5)
    for bad in ("NaN", "1e5", "１２", " 1", "9" * 5000):
        with refused("number"):
            decimal.from_wire(bad)


def test_a_worked_out_value_is_rounded_half_up_to_the_scale(field):
    assert str(field("decimal", scale=2).back(Decimal("1.005"))) == "1.01"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-10**14, max_value=10**14))
def test_what_is_written_is_read_back_the_same(number):
    kind = registry()["decimal"]
    p = kind.properties()
    for locale in (Locale("en"), Locale("zh_CN"), Locale("de")):
        assert kind.parse(kind.format(kind.validate(number, p), p, locale), p, locale) == number
    assert kind.from_wire(kind.to_wire(kind.validate(number, p), p), p) == number


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused(text):
    kind = registry()["decimal"]
    try:
        value = kind.parse(text, kind.properties(), Locale("en"))
    except BadValue as error:
        assert error.message.format(**error.params)
    else:
        assert value is None or value.is_finite()
