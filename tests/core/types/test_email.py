"""The type email."""

import pytest


def test_an_address_keeps_its_name_and_lowers_its_domain(field):
    email = field("email")
    assert email.validate(" Ada.Lovelace+crm@Example.ORG ") == "Ada.Lovelace+crm@example.org"
    assert email.validate("用户@例子.中国") == "用户@例子.中国"
    assert email.validate("mailto:a@b.cd") == "a@b.cd"
    assert email.validate("") is None


@pytest.mark.parametrize("bad", ["ada", "ada@", "@example.org", "ada@example", "a b@example.org", "a@b@c.org",
                                 "a@-b.org", "a..b@c.org", "<a@b.org>", "a@b.org, c@d.org", "a@b..org"])
def test_other_text_is_no_address(field, refused, bad):
    with refused("email"):
        field("email").validate(bad)
