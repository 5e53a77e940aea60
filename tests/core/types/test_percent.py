"""The type percent."""

from decimal import Decimal

import pytest


def test_half_is_fifty(field):
    percent = field("percent")
    assert percent.parse("50 %") == 50
    assert percent.parse("50") == 50
    assert percent.to_wire(percent.validate(Decimal("50.00"))) == "50"
    assert percent.format(Decimal("12.5")) == "12.5%"


@pytest.mark.parametrize(("bad", "code"), [(101, "too_large"), (-1, "too_small"),
                                           (Decimal("1.005"), "scale")])
def test_it_is_between_0_and_100_with_two_decimals(field, refused, bad, code):
    with refused(code):
        field("percent").validate(bad)


def test_a_field_may_widen_the_bounds(field):
    assert field("percent", min=-100, max=1000).validate(150) == 150
