"""The page of one's own tokens, and the command: made and shown once, listed, ended."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from werkzeug.test import Client

from core.cli import Invocation, token
from core.errors import Invalid, Refused
from core.settings import Settings
from tests.core.web.site import Browser, Site, sample_site

CHINESE = """\
msgid ""
msgstr "Language: zh_CN\\n"

msgctxt "table company.plural"
msgid "Companies"
msgstr "各公司"
"""


@pytest.fixture(scope="module")
def site(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with sample_site(database, tmp_path_factory.mktemp("web"), {"translations/zh_CN.po": CHINESE}) as found:
        yield found


def make(browser: Browser, status: int = 200, **values: object) -> str:
    """Send the form of a new token; gives what the page shows of it."""
    browser.get("/my-account/tokens")
    form = {**browser.form("/my-account/tokens"), "name": "for a test", **values}
    form.pop("table", None) if "table" not in values else None
    browser.post("/my-account/tokens", {key: value for key, value in form.items() if value is not None}, status)
    found = re.search(r'value="(tessera_[^"]+)"', browser.text)
    return found[1] if found else ""


def ask(site: Site, bearer: str, path: str, method: str = "GET") -> int:
    return Client(site.application).open(f"/api/v1/{path}", method=method,
                                         headers={"Authorization": f"Bearer {bearer}"}).status_code


def test_a_token_is_made_shown_once_and_ended(site: Site) -> None:
    browser = site.browser("sam")
    browser.get("/my-account")
    assert 'href="/my-account/tokens"' in browser.text
    bearer = make(browser, scope=["read"], table=["deal"], days="30")
    assert bearer.startswith("tessera_") and browser.page is not None
    assert browser.page.headers["Cache-Control"] == "no-store"
    assert ask(site, bearer, "deal") == 200 and ask(site, bearer, "company") == 403 and ask(site, bearer, "deal", "POST") == 403
    browser.get("/my-account/tokens")
    assert bearer not in browser.text and "for a test" in browser.words and "read:deal" in browser.words
    action = re.findall(r'action="(/my-account/tokens/\d+/revoke)"', browser.text)[0]
    browser.post(action, browser.form(action))
    assert browser.location == "/my-account/tokens?done=ended"
    assert ask(site, bearer, "deal") == 401
    browser.get(browser.location)
    assert "The token has ended" in browser.words


@pytest.mark.parametrize(("values", "field"), [
    ({"name": ""}, "name"), ({"name": "x" * 101}, "name"), ({"days": "0"}, "days"), ({"days": "x"}, "days"),
    ({"days": "99999"}, "days"), ({"scope": None}, "scopes"), ({"scope": ["admin"]}, "scopes"),
    ({"scope": ["read"], "table": ["nothing"]}, "scopes")])
def test_a_form_that_says_nothing_comes_back(site: Site, values: dict[str, object], field: str) -> None:
    browser = site.browser("sam")
    assert make(browser, 422, **values) == ""
    assert f'id="{field}-problem"' in browser.text


def test_nobody_ends_the_token_of_another(site: Site) -> None:
    sam, sue = site.browser("sam"), site.browser("sue")
    bearer = make(sam)
    sam.get("/my-account/tokens")
    action = re.findall(r'action="(/my-account/tokens/\d+/revoke)"', sam.text)[0]
    sue.get("/my-account/tokens")
    sue.post(action, {"_csrf": sue.form("/my-account/tokens")["_csrf"]}, 404)
    sue.post(action, {"_csrf": "wrong"}, 403)
    assert ask(site, bearer, "deal") == 200


def test_a_token_opens_no_page(site: Site) -> None:
    bearer = make(site.browser("ada"))
    for path in ("/", "/my-account/tokens", "/admin", "/deals"):
        answer = Client(site.application).get(path, headers={"Authorization": f"Bearer {bearer}"})
        assert answer.status_code == 303 and answer.headers["Location"].startswith("/login")


def test_the_page_speaks_chinese(site: Site) -> None:
    browser = site.browser("max")
    browser.get("/my-account")
    browser.post("/my-account/settings", {"_csrf": browser.form("/my-account/settings")["_csrf"], "language": "zh_CN"})
    browser.get("/my-account/tokens")
    assert "程序令牌" in browser.words and "仅限这些数据表" in browser.words


def run(site: Site, *arguments: str) -> Result:
    return CliRunner().invoke(token.command, list(arguments), obj=Invocation(site.settings, "ada"), catch_exceptions=False)


def test_the_command_makes_lists_and_ends_tokens(site: Site) -> None:
    bearer = run(site, "sue", "--scope", "read:deal", "--scope", "export:deal", "--expires", "7", "--name", "nightly").output.strip()
    assert ask(site, bearer, "deal") == 200 and ask(site, bearer, "company") == 403
    listed = run(site, "sue", "--list").output
    line = next(line for line in listed.splitlines() if "nightly" in line)
    assert "read:deal export:deal" in line and bearer not in listed
    number = line.split()[0]
    assert run(site, "sue", "--revoke", number).output.strip() == "1 tokens revoked"
    assert ask(site, bearer, "deal") == 401
    with pytest.raises(Refused, match="has no token"):
        run(site, "sue", "--revoke", number)
    with pytest.raises(Refused, match="is not the number of a token"):
        run(site, "sue", "--revoke", "x")
    with pytest.raises(Invalid, match="is no scope"):
        run(site, "sue", "--scope", "write:nothing")
    assert run(site, "sue", "--scope", "read", "--read-only").exit_code == 2


def test_tables_are_called_as_in_the_readers_language(site: Site) -> None:
    browser = site.browser("max")
    browser.get("/my-account")
    browser.post("/my-account/settings", {**browser.form("/my-account/settings"), "language": "zh_CN"})
    browser.get("/my-account/tokens")
    assert ">各公司</option>" in browser.text
