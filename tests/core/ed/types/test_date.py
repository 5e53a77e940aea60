"""The type date."""

from tests.core.ed.types.conformance import Conformance


class TestDate(Conformance):
    definition = "{type: date}"
    given = "2026-01-31"
    values = ("1900-01-01", "2024-02-29", "2200-12-31")
    bad = (("10000-01-01", "date"), ("1899-12-31", "range"), ("2201-01-01", "range"), ("infinity", "date"),
           ("2026-02-30", "date"), (20260131, "type"), ("2026-01-31T00:00:00Z", "date"))
    typed = (("2024-2-29", "2024-02-29"), ("2/29/2024", "2024-02-29"), ("2024年2月29日", "2024-02-29", "zh_CN"))
    mistyped = (("31/31/2024", "date"), ("soon", "date"), ("１９９９-01-01", "date"))
    shown = (("2024-02-29", "Feb 29, 2024"), ("2024-02-29", "2024年2月29日", "zh_CN"))
    page = (("2024-02-29", '<time datetime="2024-02-29">'),)
    where = (("value == '2024-02-29'", {1}), ("value < '2100-01-01'", {0, 1}), ("value is None", {-1}),
             ("month(value) == 2", {1}))
