"""The type phone."""

import random

import phonenumbers
import pytest

from core.types.phone import normal


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


@pytest.mark.parametrize("code", ["1", "7", "20", "33", "39", "44", "49", "54", "55", "52", "86", "353", "800", "999"])
def test_numbers_in_international_form_are_read_as_the_library_reads_them(code):
    source = random.Random(int(code))
    for _ in range(300):
        digits = "".join(source.choice("0123456789") for _ in range(source.randint(3, 15)))
        place = source.randint(0, len(digits))
        home, sign = source.choice(("", "(0)", "0")), source.choice((" ", "-", ".", ""))
        number = f"+{code} {home}{digits[:place]}{sign}{digits[place:]}"
        try:
            parsed = phonenumbers.parse(number, "DE")
            possible = phonenumbers.is_possible_number(parsed)
        except phonenumbers.NumberParseException:
            possible = False
        expected = (phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if possible
                    else "".join(sign for sign in number if sign.isdigit()))
        assert normal(number, "DE") == expected, number
