"""The query of a list: strict, so that a slip is seen and not ignored."""

import pytest
from werkzeug.datastructures import MultiDict

from core.errors import BadRequest, NotFound
from core.web.api.query import ListQuery, list_query, record_id


def test_nothing_asked_is_the_first_page_of_50():
    assert list_query(MultiDict()) == ListQuery(None, (), (), 50, None, False)


def test_everything_asked():
    asked = MultiDict({"where": "a > 1", "fields": "name, company.city", "order": "-amount,name", "limit": "200",
                       "after": "xyz", "count": "1"})
    assert list_query(asked) == ListQuery(
        "a > 1", ("name", "company.city"), ("-amount", "name"), 200, "xyz", True)


@pytest.mark.parametrize(("parameters", "at"), [
    ([("fileds", "a")], "fileds"),
    ([("token", "a")], "token"),
    ([("_method", "DELETE")], "_method"),
    ([("limit", "5"), ("limit", "6")], "limit"),
    ([("limit", "0")], "limit"),
    ([("limit", "201")], "limit"),
    ([("limit", "-1")], "limit"),
    ([("limit", "1e3")], "limit"),
    ([("limit", "１")], "limit"),
    ([("limit", "")], "limit"),
    ([("count", "yes")], "count"),
    ([("fields", "a,,b")], "fields"),
    ([("fields", "a,a")], "fields"),
    ([("order", ",".join(f"f{n}" for n in range(30)))], "order"),
])
def test_a_slip_is_refused_and_named(parameters, at):
    with pytest.raises(BadRequest) as caught:
        list_query(MultiDict(parameters))
    assert caught.value.at == at


def test_an_id_is_a_plain_positive_number():
    assert record_id("17") == 17
    for other in ("0", "-1", "1e3", "１", "01", "1.0", str(2**63), "9" * 40, "x", " 1"):
        with pytest.raises(NotFound):
            record_id(other)
