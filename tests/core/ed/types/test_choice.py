"""The type choice."""

from tests.core.ed.types.conformance import Conformance


class TestChoice(Conformance):
    definition = "{type: choice, of: size}"
    given = "small"
    values = ("large", "small")
    bad = (("huge", "choice"), (5, "type"), ("x" * 200, "too_long"))
    page = (("small", "Small"),)
    where = (("value == 'small'", {1}), ("value in ['small', 'large']", {0, 1}), ("value is None", {-1}))


class TestSeveralChoices(Conformance):
    definition = "{type: choice, of: size, many: true}"
    given = "[small]"
    sorts = False
    values = (["small", "large"], ["large"])
    bad = (("small", "type"), (["huge"], "choice"), ([5], "type"), (["small"] * 1001, "too_many"))
    typed = (("small, large", ["small", "large"]), ("small；large", ["small", "large"]))
    where = (("'small' in value", {0}), ("value is None", {-1}), ("'small' not in value", {1, -1}))
