"""The type phone."""

import pytest

from core.types.phone import normal, split
from tests.core.ed.types.conformance import Conformance


class TestPhone(Conformance):
    definition = "{type: phone, region: DE, search: words}"
    given = '"+49 30 1234567"'
    values = ("+49 30 1234567", "0171/22 33 44 5", "030 7654321 ext. 12")
    bad = (("call me", "phone"), ("12", "phone"), (5, "type"), ("1" * 30, "phone"), ("030 \x00123", "character"),
           ("ext ext ext 123", "phone"))
    typed = ((" 030 7654321 ext. 12 ", "030 7654321 ext. 12"),)
    found = (("1234567", {0}), ("+49307654321", {2}), ("030 1234567", {0}), ("0049 30 1234567", {0}), ("22334", {1}),
             ("(030) 765-4321", {2}), ("+49 171 2233445", {1}))
    page = (("030 7654321 ext. 12", 'href="tel:0307654321;ext=12"'),)
    where = (("value == '+49 30 1234567'", {0}), ("starts_with(value, '030')", {2}), ("value is None", {-1}))


class TestSeveralPhones(Conformance):
    definition = "{type: phone, region: DE, many: true, search: words}"
    given = '["+49 30 1234567"]'
    sorts = False
    values = (["+49 30 1234567", "030 7654321,12"], ["0171 2233445"])
    bad = (("030 1234567", "type"), (["030 1234567", "x"], "phone"), ([5], "type"), (["030 1234567"] * 101, "too_many"))
    typed = (("+49 30 1234567; 0171 2233445", ["+49 30 1234567", "0171 2233445"]),
             ("030 7654321,12\n", ["030 7654321,12"]), ("", []))
    found = (("7654321", {0}), ("+491712233445", {1}))
    where = (("'0171 2233445' in value", {1}), ("value is None", {-1}), ("'x' not in value", {0, 1, -1}))


@pytest.mark.parametrize(("typed", "main", "extension"), [
    ("030 7654321 ext. 12", "030 7654321", "12"), ("030 7654321x12", "030 7654321", "12"),
    ("030 7654321;ext=12", "030 7654321", "12"), ("(010) 6552 9988 转 8001", "(010) 6552 9988", "8001"),
    ("030 7654321", "030 7654321", ""), ("030 7654321 # 5", "030 7654321", "5")])
def test_an_extension_is_no_part_of_the_number(typed, main, extension):
    assert split(typed) == (main, extension)
    assert normal(typed, "DE") == normal(main, "DE")
