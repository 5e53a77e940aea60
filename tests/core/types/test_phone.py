"""The type phone."""

import pytest


def test_a_number_is_kept_as_typed_and_normalised_beside(field):
    phone = field("phone", region="DE")
    assert phone.parts() == [("", "text"), ("normal", "text")]
    assert phone.columns("030 / 123 456") == ("030 / 123 456", "+4930123456")
    assert phone.columns("+86 10 8888-8888") == ("+86 10 8888-8888", "+861088888888")
    assert phone.columns(None) == (None, None)


def test_without_a_country_the_digits_find_it(field):
    assert field("phone").columns("030 123456")[1] == "030123456"


@pytest.mark.parametrize("bad", ["call me", "12", "+49 30 <b>", "1" * 30])
def test_other_text_is_no_number(field, refused, bad):
    with refused("phone"):
        field("phone").validate(bad)
