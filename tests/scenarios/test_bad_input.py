"""Forms that no page of ours would send: each is refused with its reason, and nothing is changed by it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy.exc import IntegrityError

from tests.scenarios.hostile import BOUNDARY, NOBODY, READER, SELLER, Browser, Crm, beside, on_top

pytestmark = pytest.mark.usefixtures("no_faults")
NONE_IDS = ("0", "-1", "1e3", "1.0", "007", "%2B1", "%EF%BC%91", "%D9%A1", "9223372036854775808", "9" * 30, "1%00",
            "1%20", "abc", "..", "%F0%9F%98%80", "__proto__", "999999999", "%ED%A0%80")


@pytest.fixture
def admin(crm: Crm) -> Browser:
    return crm.browser("admin")


@pytest.fixture
def seller(crm: Crm) -> Browser:
    return crm.browser(SELLER)


@pytest.fixture(scope="module")
def company(crm: Crm) -> int:
    """A company of the administrator's."""
    return crm.create("company", name="Untouched")


@pytest.fixture(scope="module")
def deal(crm: Crm) -> int:
    """An opportunity of the administrator's, which the seller may not see."""
    return crm.create("opportunity", name="Not yours", lines=[{"description": "One", "price": "5.00"}])


@pytest.fixture(scope="module")
def mine(crm: Crm) -> int:
    """An opportunity of the seller's."""
    return crm.create("opportunity", name="Mine", owner=crm.user(SELLER), lines=[{"description": "One"}])


def plain(html: str, number: int) -> str:
    """A page without what differs from answer to answer."""
    html = re.sub(r'(nonce|content|value)="[^"]*"', "", html)
    html = re.sub(r"[0-9a-f]{16}", "", html)       # before the number, whose digits may stand in a request's id
    return html.replace(str(number), "N")


# 36, 37: ids, owners, keys

@pytest.mark.parametrize("number", NONE_IDS)
def test_row_37_an_id_that_is_none_is_not_found(crm: Crm, admin: Browser, number: str) -> None:
    with crm.refused():
        for path in (f"/companies/{number}", f"/companies/{number}/history", f"/-/open/company/{number}",
                     f"/-/file/company/{number}/name"):
            assert admin.get(path).status == 404, path
        for path in (f"/companies/{number}", f"/companies/{number}/delete", f"/companies/{number}/restore",
                     f"/companies/{number}/conditions"):
            assert admin.save(path, 1, ("name", "x")).status == 404, path


def test_row_37_what_belongs_to_others_is_as_if_it_were_not_there(crm: Crm, seller: Browser, deal: int) -> None:
    missing = 999_999_999
    with crm.refused():
        for ask in (lambda n: seller.get(f"/opportunities/{n}"), lambda n: seller.get(f"/opportunities/{n}/history"),
                    lambda n: seller.get(f"/-/open/opportunity/{n}"),
                    lambda n: seller.get(f"/-/file/opportunity/{n}/document"),
                    lambda n: seller.save(f"/opportunities/{n}", 1, ("name", "Mine")),
                    lambda n: seller.save(f"/opportunities/{n}/delete", 1),
                    lambda n: seller.save(f"/opportunities/{n}/restore", 1),
                    lambda n: seller.save(f"/opportunities/{n}/conditions", 1)):
            theirs, none = ask(deal), ask(missing)
            assert (theirs.status, none.status) == (404, 404)
            assert plain(theirs.text, deal) == plain(none.text, missing)


def test_past_case_8_those_who_may_read_only_do_not_write(crm: Crm, company: int) -> None:
    reader, nobody = crm.browser(READER), crm.browser(NOBODY)
    assert reader.get(f"/companies/{company}").status == 200
    with crm.refused():
        assert reader.save(f"/companies/{company}", 1, ("name", "Mine")).status == 403
        assert reader.save(f"/companies/{company}/delete", 1).status == 403
        assert reader.post("/companies/new", ("name", "Mine")).status == 403
        assert reader.save(f"/companies/{company}/restore", 1).status == 404      # it is not in the trash
        assert nobody.get(f"/companies/{company}").status == 404
        assert nobody.save(f"/companies/{company}", 1, ("name", "Mine")).status == 404
        assert nobody.post("/companies/new", ("name", "Mine")).status == 404


@pytest.mark.parametrize("key", [
    "nonsense", "id", "_type", "_delete", "_deleted_on", "created_by", "created_on", "changed_by", "_method",
    "contact_count", "won_total", "__class__", "name.x.y", "contacts.0.nonsense", "contacts.１.name", "名称", "name\x00"])
def test_row_36_a_form_takes_nothing_it_did_not_ask_for(crm: Crm, admin: Browser, company: int, key: str) -> None:
    with crm.refused():
        for path in (f"/companies/{company}", "/companies/new"):
            answer = admin.save(path, 1, ("name", "Changed"), (key, "7"))
            assert answer.status == 422
            assert "does not ask for" in on_top(answer)


@pytest.mark.parametrize("key", ["weighted", "line_total", "code"])
def test_row_44_what_is_worked_out_is_not_set(crm: Crm, admin: Browser, deal: int, key: str) -> None:
    with crm.refused():
        assert admin.save(f"/opportunities/{deal}", 1, (key, "7")).status == 422


def test_row_36_a_hidden_field_is_as_unknown_as_any(crm: Crm, seller: Browser, mine: int) -> None:
    with crm.refused():
        hidden, unknown = (seller.save(f"/opportunities/{mine}", 1, (key, "77")) for key in ("target_margin", "no_such"))
        assert (hidden.status, unknown.status) == (422, 422)
        assert on_top(hidden).replace("target_margin", "no_such") == on_top(unknown)
        hidden, unknown = (seller.save("/opportunities/new", 1, ("name", "x"), (key, "77"))
                           for key in ("target_margin", "no_such"))
        assert on_top(hidden).replace("target_margin", "no_such") == on_top(unknown)


def test_row_36_a_key_that_comes_twice_is_refused(crm: Crm, admin: Browser, company: int) -> None:
    with crm.refused():
        assert admin.save(f"/companies/{company}", 1, ("name", "a"), ("name", "b")).status == 400
        assert admin.save(f"/companies/{company}", 1, ("_version", "2"), ("name", "b")).status == 400
        assert admin.save(f"/companies/{company}", 1, *((f"k{n}", "") for n in range(30_001))).status == 400
        assert admin.post("/my-account/settings", ("theme", "dark"), ("theme", "light")).status == 400
        assert admin.post("/my-account/settings", ("nonsense", "1")).status == 400


@pytest.mark.parametrize("kind", ["nothing", "party", "user", "contact", "\x00", "COMPANY"])
def test_row_36_only_kinds_that_the_object_offers_are_created(crm: Crm, admin: Browser, kind: str) -> None:
    with crm.refused():
        assert admin.post("/companies/new", ("_kind", kind), ("name", "x")).status == 404
        assert admin.post("/parties/new", ("name", "x")).status == 400


# 38 to 43: values

@pytest.mark.parametrize(("field", "value"), [
    ("name", ""), ("name", "a\x00b"), ("name", "x" * 201), ("name", "a\nb"), ("note", "\x00"), ("note", "x" * 100_001),
    ("email", "no"), ("email", "a@b.example\r\nBcc: x@y.example"), ("website", "javascript:alert(1)"),
    ("website", "http://" + "x" * 3000), ("phone", "\x00"), ("archived", "maybe"),
    ("revenue", "NaN"), ("revenue", "Infinity"), ("revenue", "1.005"), ("revenue", "1e12"), ("revenue", "-"),
    ("revenue", str(10**15)), ("revenue", "1" * 5000), ("revenue", "0x10"), ("revenue", "1_000"),
    ("employees", "1.5"), ("employees", "1e3"), ("employees", "-1"), ("employees", str(2**63)), ("founded", "99999"),
    ("industry", "nothing"), ("industry", "technology\x00"), ("kinds", "nothing"),
    ("parent", "999999999"), ("parent", "1e3"), ("parent", "-1"), ("parent", str(2**63)), ("parent", "１"),
    ("parent", "0"), ("parent", "1,2"), ("tags", "999999"), ("tags", "abc"),
])
def test_rows_38_to_43_a_value_that_cannot_be_is_told_beside_its_field(crm: Crm, admin: Browser, company: int, field: str,
                                                         value: str) -> None:
    with crm.refused():
        changed = admin.save(f"/companies/{company}", 1, (field, value))
        created = admin.post("/companies/new", *((("name", "New"),) if field != "name" else ()), (field, value))
    assert (changed.status, created.status) == (422, 422)
    assert beside(changed, field) and beside(created, field)


@pytest.mark.parametrize(("field", "value"), [
    ("engage_date", "10000-01-01"), ("engage_date", "infinity"), ("engage_date", "2024-02-30"),
    ("engage_date", "1899-12-31"), ("engage_date", "0000-00-00"), ("starts", "2024-01-01T25:00"),
    ("starts", "9999-12-31T23:59"), ("starts", "1899-12-31T23:59:59"), ("stage", "nothing"), ("stage", ""),
    ("state", "Draft"), ("probability", "101"), ("probability", "NaN"), ("lines.0.id", "1e3"), ("lines.0.quantity", "0"),
    ("lines.0.quantity", "1.0005"), ("lines.0.price", "NaN"), ("lines.0.discount", "-1"), ("document~", "5"),
])
def test_rows_39_to_44_a_value_of_a_deal_that_cannot_be_is_refused(crm: Crm, admin: Browser, deal: int, field: str,
                                                     value: str) -> None:
    lines = (("lines~", "1"), ("lines.0.description", "x")) if field.startswith("lines.") else ()
    with crm.refused():
        answer = admin.save(f"/opportunities/{deal}", 1, (field, value), *lines)
    assert answer.status == 422
    assert "t-problem" in answer.text or on_top(answer)


def test_row_37_links_lead_only_to_what_is_there_and_may_be_seen(crm: Crm, admin: Browser, company: int, mine: int) -> None:
    contact = crm.create("contact", name="Somebody")
    trashed = crm.create("company", name="Gone")
    assert crm.api("admin").ask("DELETE", f"/api/v1/company/{trashed}").status == 204
    with crm.refused():
        for other in (contact, trashed, company, mine):
            assert beside(admin.save(f"/companies/{company}", 1, ("parent", str(other))), "parent")


def test_row_40_numbers_keep_every_digit(crm: Crm, admin: Browser) -> None:
    number = crm.create("company", name="Rich")
    assert admin.save(f"/companies/{number}", 1, ("revenue", "999999999999999.99")).status == 303
    assert crm.api("admin").get(f"/api/v1/company/{number}").json()["revenue"] == "999999999999999.99"


def test_row_41_no_row_keeps_a_list_from_being_shown(crm: Crm, admin: Browser) -> None:
    """Not even by hand comes a day into a table that would break every page that shows it."""
    number = crm.create("opportunity", name="Poison")
    for field, value in (("engage_date", "10000-01-01"), ("engage_date", "infinity"), ("starts", "0044-03-15 BC")):
        with pytest.raises(IntegrityError):
            crm.one(f"update ed.ticket_{crm.physical('ticket')} set {field}_{crm.physical(field)} = '{value}' "
                    "where id = :id returning 1", id=number)
    crm.one(f"update ed.ticket_{crm.physical('ticket')} set amount_{crm.physical('amount')} = 'NaN' where id = :id "
            "returning 1", id=number)
    assert admin.get("/opportunities").status == admin.get(f"/opportunities/{number}?edit=1").status == 200
    assert crm.api("admin").get(f"/api/v1/opportunity/{number}").status == 200


def test_row_43_signs_that_turn_the_text_are_kept_apart(crm: Crm, admin: Browser) -> None:
    number = crm.create("company", name="\u202egnp.exe <script>alert(1)</script>")
    for path in (f"/companies/{number}", "/companies?sort=-name", f"/companies/{number}?edit=1"):
        page = admin.get(path).text
        assert "<script>alert" not in page
    assert "<bdi>\u202egnp.exe &lt;script&gt;" in admin.get(f"/companies/{number}").text


def test_row_42_a_text_of_20_megabytes_is_too_large(crm: Crm) -> None:
    with crm.refused():
        for kind in ("application/x-www-form-urlencoded", f"multipart/form-data; boundary={BOUNDARY}"):
            size = 20_000_000 if kind.startswith("application") else 70_000_000
            head = (f"POST /companies/new HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nConnection: close\r\n"
                    f"Cookie: {crm.browser('admin').cookies}\r\nContent-Length: {size}\r\n\r\n")
            assert crm.raw(head.encode() + b"x" * 100_000).startswith(b"HTTP/1.1 413 ")


def test_row_42_a_large_text_among_files_is_too_large(crm: Crm, admin: Browser) -> None:
    with crm.refused():
        answer = admin.upload("/opportunities/new", [("name", "x" * 2_100_000)], "document", "a.txt", b"a")
    assert answer.status == 413


def test_row_71_files_that_cannot_be_are_refused(crm: Crm, admin: Browser, deal: int) -> None:
    pairs = [("_version", "1"), ("_base", "{}")]
    with crm.refused():
        empty = admin.upload(f"/opportunities/{deal}", pairs, "document", "a.txt", b"")
        assert empty.status == 422 and beside(empty, "document")
        large = admin.upload(f"/opportunities/{deal}", pairs, "document", "a.txt", b"x" * 20_000_001)
        assert large.status == 422 and beside(large, "document")
        assert admin.upload(f"/opportunities/{deal}", pairs, "name", "a.txt", b"Changed").status == 422
        assert admin.save(f"/opportunities/{deal}", 1, ("document", "5")).status == 422


@pytest.mark.parametrize("name", ["../../../etc/passwd", "a\\..\\b.html", ".htaccess", "x" * 400 + ".html", "con"])
def test_rows_68_to_70_a_file_is_kept_under_our_name_and_never_shown(crm: Crm, admin: Browser, name: str) -> None:
    created = admin.upload("/opportunities/new", [("name", "With a file")], "document", name, b"<script>alert(1)</script>")
    assert created.status == 303, created.text
    number = created.headers["location"].rpartition("/")[2]
    answer = admin.get(f"/-/file/opportunity/{number}/document")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-type"] == "application/octet-stream" and "sandbox" in answer.headers[
        "content-security-policy"]
    assert not any(sign in answer.headers["content-disposition"] for sign in ("/", "\\", "\n"))
    assert all(re.fullmatch(r"[0-9a-f]{64}", path.name) for path in (crm.site.home / "files").glob("*/*"))


# 42 to 44: versions, lines, proofs

@pytest.mark.parametrize("version", ["", "-1", "1e3", "２", "1.0", "2" * 30, None])
def test_row_43_a_form_says_which_version_it_was_opened_on(crm: Crm, admin: Browser, company: int, version: str | None) -> None:
    pairs = (("_base", "{}"), ("name", "Z"), *((("_version", version),) if version is not None else ()))
    with crm.refused():
        assert admin.post(f"/companies/{company}", *pairs).status == 400
        assert admin.post(f"/companies/{company}/delete", *pairs[2:]).status == 400


def test_row_43_a_stale_version_is_a_conflict(crm: Crm, admin: Browser, company: int) -> None:
    with crm.refused():
        answer = admin.save(f"/companies/{company}", 7, ("name", "Typed by me"))
        assert answer.status == 409 and "Typed by me" in answer.text
        assert admin.save(f"/companies/{company}/delete", 7).status == 409
        assert admin.save(f"/companies/{company}", 0, ("name", "x")).status == 422


@pytest.mark.parametrize("memory", ["[" * 100_000, "[]", "{", "9" * 5000, '{"lines": [1]}', '{"lines": {"x": 1}}', "NaN"])
def test_row_36_a_form_with_a_broken_memory_still_counts(crm: Crm, admin: Browser, deal: int, memory: str) -> None:
    with crm.refused():
        answer = admin.post(f"/opportunities/{deal}", ("_version", "1"), ("_base", memory), ("lines~", "1"), ("amount", "-"))
    assert answer.status == 422 and beside(answer, "amount")


def test_row_37_lines_of_others_are_no_lines_of_this_record(crm: Crm, seller: Browser, deal: int, mine: int) -> None:
    theirs, own = crm.line(deal), crm.line(mine)
    rows = ([("id", theirs), ("description", "x")], [("id", theirs), ("_delete", "1")], [("id", "999999999"), ("price", "1")],
            [("id", own), ("opportunity", str(deal))], [("id", own), ("total", "1")], [("id", "-1"), ("price", "1")])
    with crm.refused():
        for row in rows:
            pairs = [(f"lines.0.{key}", value) for key, value in row]
            assert seller.save(f"/opportunities/{mine}", 1, ("lines~", "1"), *pairs).status == 422, row
        twice = [(f"lines.{n}.{key}", value) for n in (0, 1) for key, value in (("id", own), ("description", f"{n}"))]
        assert seller.save(f"/opportunities/{mine}", 1, ("lines~", "1"), *twice).status == 422
        many = [(f"lines.{n}.description", "x") for n in range(2001)]
        assert seller.save(f"/opportunities/{mine}", 1, ("lines~", "1"), *many).status == 422


def test_row_43_settings_are_chosen_from_what_is_offered(crm: Crm, admin: Browser) -> None:
    with crm.refused():
        for pair in (("language", "xx"), ("theme", "none"), ("time_zone", "../../etc/passwd"), ("time_zone", "\x00")):
            assert admin.post("/my-account/settings", pair).status == 422
        assert admin.post("/my-account/password", ("old", "\x00"), ("new", "x" * 20), ("again", "x" * 20)).status == 422
