"""The type datetime."""

from tests.core.ed.types.conformance import Conformance


class TestDatetime(Conformance):
    definition = "{type: datetime}"
    given = '"2026-01-31T10:00:00Z"'
    values = ("1900-01-02T00:00:00Z", "2026-01-31T10:00:00+01:00", "2026-01-31T10:00:00Z")
    bad = (("2026-01-31", "datetime"), ("2026-01-31T10:00:00", "datetime"), ("infinity", "datetime"), (5, "type"),
           ("10000-01-01T00:00:00Z", "datetime"), ("1850-01-01T00:00:00Z", "range"), ("2026-01-31T25:00:00Z", "datetime"),
           ("2026-01-31 10:00:00Z", "datetime"))
    typed = (("2026-01-31 10:00", "2026-01-31T10:00:00Z"), ("2026-01-31 10:00:00+00:00", "2026-01-31T10:00:00Z"))
    mistyped = (("2026-01-31 10:99", "datetime"), ("now", "date"))
    shown = (("2026-01-31T10:00:00Z", "Jan 31, 2026 11:00"), ("2026-01-31T10:00:00Z", "2026年1月31日 11:00", "zh_CN"))
    page = (("2026-01-31T10:00:00Z", "<time datetime="),)
    where = (("value == '2026-01-31T09:00:00Z'", {1}), ("value > '2026-01-31T09:30:00Z'", {2}), ("value is None", {-1}),
             ("value + hours(1) == '2026-01-31T10:00:00Z'", {1}))
