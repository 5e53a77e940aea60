"""The type fax."""

from tests.core.ed.types.conformance import Conformance


class TestFax(Conformance):
    definition = "{type: fax, region: DE, search: words}"
    given = '"+49 30 1234567"'
    values = ("+49 30 1234567", "030 7654321")
    bad = (("call me", "phone"), ("12", "phone"), (5, "type"), ("1" * 30, "phone"))
    found = (("1234567", {0}), ("+49307654321", {1}), ("030 1234567", {0}))
    page = (("+49 30 1234567", "+49 30 1234567"),)
    where = (("value == '030 7654321'", {1}), ("contains(value, '123')", {0}), ("value is None", {-1}))
