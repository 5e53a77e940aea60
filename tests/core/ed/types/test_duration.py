"""The type duration."""

from datetime import timedelta

from core.expression import check
from tests.core.ed.types.conformance import Conformance


class TestDuration(Conformance):
    definition = "{type: duration, unit: hours, negative: true}"
    given = "PT8H"
    values = ("-PT2H", "PT30M", "PT1H30M", "P1D", "P3DT4H5M6S")
    bad = (("1h", "duration"), (90, "type"), ("P1Y", "duration"), ("PT", "duration"), ("P100001D", "range"),
           ("PT9999999999S", "range"))
    typed = (("1h 30m", "PT1H30M"), ("1:30", "PT1H30M"), ("1.5", "PT1H30M"), ("90 min", "PT1H30M"), ("2 days", "P2D"),
             ("1 week, 2 hours", "P7DT2H"), ("-2 h", "-PT2H"), ("3 d 4:05:06", "P3DT4H5M6S"), ("P1DT2H", "P1DT2H"),
             ("1小时30分钟", "PT1H30M"), ("1,5 h", "PT1H30M", "de"))
    mistyped = (("soon", "number"), ("5 parsecs", "duration"), ("1:75", "duration"), ("999999999 weeks", "range"))
    shown = (("P1DT1H30M", "1 day 1:30"), ("PT0S", "0 days"), ("P2D", "2天", "zh_CN"), ("PT45S", "0:00:45"))
    page = (("PT1H30M", "1:30"),)
    where = (("value > hours(1)", {2, 3, 4}), ("value == days(1)", {3}), ("in_hours(value) == 0.5", {1}),
             ("date('2026-01-01') + value > date('2026-01-01')", {3, 4}), ("value is None", {-1}),
             ("value + value == days(2)", {3}))

    more = "  whole: {type: link, to: thing}\n  pieces: {type: lines, of: thing, by: whole}\n"

    def test_spans_add_up_the_same_in_both_languages(self, made, records):
        ids = [*made.ids[1:4]]
        [whole] = records.create("thing", [{"label": "whole"}])
        records.update("thing", [{"id": id_, "whole": whole} for id_ in ids])
        source = "sum(pieces.value) == days(1) + hours(2) and sum(pieces[value < hours(0)].value) == hours(0)"
        assert [one["id"] for one in records.page("thing", ["label"], f"label == 'whole' and {source}").records] == [whole]
        [record] = records.read("thing", [whole])
        scope = made.system.model.scope("thing")
        assert check(source, scope, "boolean").evaluate(record, records.session.environment) is True
        endless = {"pieces": [{"value": timedelta(100_000)}] * 9}
        assert check("sum(pieces.value)", scope).evaluate(endless, records.session.environment) == timedelta(500_000)


def test_what_is_not_negative_says_so(field, refused):
    effort = field("duration")
    with refused("too_small"):
        effort.from_wire("-PT1H")
    assert effort.validate(effort.parse("2")).total_seconds() == 7200
    assert field("duration", unit="minutes").parse("2").total_seconds() == 120
