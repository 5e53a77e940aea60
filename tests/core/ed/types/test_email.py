"""The type email."""

from tests.core.ed.types.conformance import Conformance


class TestEmail(Conformance):
    definition = "{type: email, search: words}"
    given = "info@example.com"
    values = ("ann@example.com", "bob.lee@mail.example.com")
    bad = (("nobody", "email"), ("a@b", "email"), ("a b@example.com", "email"), (5, "type"), ("a\x00@example.com", "character"),
           ("a@example.com,b@example.com", "email"))
    typed = ((" mailto:Ann@EXAMPLE.com ", "Ann@example.com"),)
    found = (("bob", {1}), ("lee", {1}), ("example", {0, 1}))
    page = (("ann@example.com", 'href="mailto:ann@example.com"'),)
    where = (("ends_with(value, '@example.com')", {0}), ("value is None", {-1}))


class TestSeveralEmails(Conformance):
    definition = "{type: email, many: true, search: words}"
    given = "[info@example.com]"
    sorts = False
    values = (["ann@example.com", "bob@example.com"], ["bob@example.com"])
    bad = (("ann@example.com", "type"), (["nobody"], "email"), ([None, 5], "type"))
    typed = (("ann@example.com, bob@EXAMPLE.com", ["ann@example.com", "bob@example.com"]),
             ("ann@example.com\nbob@example.com", ["ann@example.com", "bob@example.com"]),
             ("ann@example.com bob@example.com", ["ann@example.com", "bob@example.com"]))
    found = (("ann", {0}), ("bob", {0, 1}))
    page = ((["ann@example.com", "bob@example.com"], 'href="mailto:bob@example.com"'),)
    where = (("'bob@example.com' in value", {0, 1}), ("value is not None and 'ann@example.com' not in value", {1}))
