"""The type time."""

from tests.core.ed.types.conformance import Conformance


class TestTime(Conformance):
    definition = "{type: time}"
    given = '"08:30"'
    values = ("00:00", "09:30", "09:30:15", "23:59")
    bad = (("24:00", "time"), ("9:30", "time"), ("09:60", "time"), (930, "type"), ("2026-01-31T10:00:00Z", "time"))
    typed = (("9:30", "09:30"), ("9.30 pm", "21:30"), ("12:15 am", "00:15"), ("9pm", "21:00"), ("上午9时30分", "09:30"),
             ("下午3点", "15:00"), ("21：05", "21:05"), ("", None))
    mistyped = (("25:00", "time"), ("noon", "time"), ("9", "time"), ("13 pm", "time"), ("9" * 5000, "time"))
    shown = (("21:05", "9:05\u202fPM".replace("\u202f", " ")), ("21:05", "21:05", "zh_CN"), ("09:30:15", "09:30:15", "de"))
    page = (("09:30", '<time datetime="09:30">'),)
    more = "  opens: {type: time, default: \"09:30\"}\n"
    where = (("value >= '09:30'", {1, 2, 3}), ("value == '09:30:15'", {2}), ("value < '09:00' or value is None", {0, -1}),
             ("value in ['00:00', '23:59']", {0, 3}), ("value == least(value, opens)", {0, 1}))
