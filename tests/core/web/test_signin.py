"""Signing in, staying signed in, and what protects both."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.web import accounts
from tests.core.web.site import PASSWORD, Browser, Site


def test_a_page_sends_strangers_to_sign_in_and_back(site: Site) -> None:
    browser = site.browser()
    browser.get("/deals?q=a%26b", 303)
    assert browser.location == "/login?next=%2Fdeals%3Fq%3Da%2526b"
    browser.get(browser.location)
    browser.post("/login", {**browser.form("/login"), "login": "sam", "password": PASSWORD})
    assert browser.location == "/deals?q=a%26b"
    browser.get("/")


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", ""]
)
def test_next_leads_only_into_this_site(site: Site, target: str) -> None:
    browser = site.browser()
    browser.get("/login")
    browser.post("/login", {**browser.form("/login"), "login": "sam", "password": PASSWORD, "next": target})
    assert browser.location == "/"


def test_the_cookie_is_plain_on_loopback_and_host_bound_elsewhere(site: Site) -> None:
    browser = site.browser("sam")
    assert browser.page is not None
    sid = next(c for c in browser.page.headers.getlist("Set-Cookie") if c.startswith("sid="))
    assert "HttpOnly" in sid and "SameSite=Lax" in sid and "Secure" not in sid
    answer = browser.client.get("/login", base_url="https://crm.example")
    assert all(c.startswith("__Host-csrf=") and "Secure" in c for c in answer.headers.getlist("Set-Cookie"))


@pytest.mark.parametrize(("login", "password"), [("sam", "wrong"), ("nobody at all", PASSWORD), ("SAM ", ""), ("", "")])
def test_every_failure_gets_the_same_answer(site: Site, login: str, password: str) -> None:
    browser = site.browser()
    browser.sign_in(login, password, 401)
    assert "This login or password is not right." in browser.words
    assert browser.page is not None and not any("sid=" in c for c in browser.page.headers.getlist("Set-Cookie"))
    forget_attempts(site)


def test_too_many_failures_close_the_login_for_a_while(site: Site) -> None:
    for _ in range(accounts.FAILURES_OF_LOGIN):
        site.browser().sign_in("sue", "wrong", 401)
    browser = site.browser()
    browser.sign_in("sue", PASSWORD, 429)
    assert browser.page is not None and browser.page.headers["Retry-After"] == "900"
    site.browser().sign_in("sam")
    forget_attempts(site)
    site.browser().sign_in("sue")


def test_an_address_that_tries_many_logins_is_closed_too(site: Site) -> None:
    with site.owner.begin() as connection:
        connection.execute(
            text(
                "insert into sys.login_attempt (login, address, success) "
                "select 'l' || n, '127.0.0.1', false from generate_series(1, 60) n"
            )
        )
    site.browser().sign_in("sam", PASSWORD, 429)
    forget_attempts(site)


def test_a_session_is_gone_after_sign_out_and_closing_the_account(site: Site) -> None:
    first, second = site.browser("sam"), site.browser("sam")
    first.get("/")
    first.post("/logout", first.form("/logout"))
    first.get("/", 303)
    second.get("/")
    with site.owner.begin() as connection:
        connection.execute(text("update sys.account set active = false where login = 'sam'"))
    second.get("/", 303)
    with site.owner.begin() as connection:
        connection.execute(text("update sys.account set active = true where login = 'sam'"))


def test_sessions_end_by_idleness_and_by_age(site: Site) -> None:
    for column, age in (("seen_on", "13 hours"), ("expires_on", "8 days")):
        browser = site.browser("sam")
        with site.owner.begin() as connection:
            connection.execute(
                text(
                    "update sys.session set seen_on = case when :c = 'seen_on' then seen_on - "
                    "cast(:age as interval) else seen_on end, expires_on = case when :c = 'expires_on' "
                    "then expires_on - cast(:age as interval) else expires_on end"
                ),
                {"c": column, "age": age},
            )
        browser.get("/", 303)


def test_only_hashes_of_cookies_are_stored(site: Site) -> None:
    browser = site.browser("sam")
    cookie = browser.client.get_cookie("sid")
    assert cookie is not None
    with site.owner.connect() as connection:
        stored = connection.execute(text("select encode(hash, 'hex') from sys.session")).scalars().all()
    assert cookie.value not in stored and accounts.digest(cookie.value).hex() in stored


def writes(browser: Browser) -> dict[str, str]:
    browser.get("/my-account")
    return browser.form("/my-account/settings")


def test_a_write_needs_the_token_and_our_origin(site: Site) -> None:
    browser = site.browser("sam")
    good = writes(browser)
    assert browser.get("/") and good["_csrf"]
    browser.post("/my-account/settings", {**good, "_csrf": "guess"}, 403)
    browser.post("/my-account/settings", {key: value for key, value in good.items() if key != "_csrf"}, 403)
    browser.post("/my-account/settings", {**good, "_csrf": site.browser("sue").site.application.settings.log}, 403)
    browser.post("/my-account/settings", good, 403, Origin="https://evil.example")
    browser.post("/my-account/settings", good, 403, Origin="null")
    browser.post("/my-account/settings", good)


def test_another_sessions_token_is_no_good(site: Site) -> None:
    foreign = writes(site.browser("sue"))["_csrf"]
    browser = site.browser("sam")
    browser.post("/my-account/settings", {**writes(browser), "_csrf": foreign}, 403)


def test_the_set_up_link_works_once(site: Site) -> None:
    with site.owner.begin() as connection:
        path = accounts.create_setup_link(connection)
        old = accounts.create_setup_link(connection)
        connection.execute(
            text("update sys.setup_link set expires_on = now() where hash = :hash"),
            {"hash": accounts.digest(old.rpartition("/")[2])},
        )
    site.browser().get(old, 404)
    site.browser().get("/set-up/guess", 404)
    browser = site.browser()
    browser.get(path)
    form = browser.form(path)
    browser.post(path, {**form, "password": "short", "again": "short"}, 422)
    browser.post(path, {**form, "password": "one long password", "again": "another password"}, 422)
    browser.post(path, {**form, "password": "a brand new password", "again": "a brand new password"})
    assert browser.location == "/"
    browser.get("/admin")
    site.browser().get(path, 404)
    site.browser().sign_in("ada", "a brand new password")
    with site.owner.begin() as connection:
        accounts.set_password(connection, 1, PASSWORD)


def test_changing_the_password_ends_the_other_sessions(site: Site) -> None:
    here, there = site.browser("max"), site.browser("max")
    here.get("/my-account")
    form = here.form("/my-account/password")
    new = "quite another phrase"
    here.post("/my-account/password", {**form, "old": "wrong", "new": new, "again": new}, 422)
    assert "This is not your present password." in here.words
    here.post("/my-account/password", {**form, "old": PASSWORD, "new": "password12345", "again": "password12345"}, 422)
    assert "too easy to guess" in here.words
    here.post("/my-account/password", {**form, "old": PASSWORD, "new": new, "again": new})
    here.get("/")
    there.get("/", 303)
    site.browser().sign_in("max", new)


def forget_attempts(site: Site) -> None:
    with site.owner.begin() as connection:
        connection.execute(text("delete from sys.login_attempt"))


def test_a_form_opened_before_signing_in_again_gets_the_new_token(site: Site) -> None:
    browser = site.browser("sam")
    old = writes(browser)["_csrf"]
    browser.post("/logout", browser.form("/logout"))
    browser.sign_in("sam")
    browser.post("/my-account/settings", {"_csrf": old}, 403)
    browser.get("/-/token")
    assert browser.page is not None and browser.page.json["csrf"] not in ("", old)
    browser.post("/my-account/settings", {"_csrf": browser.page.json["csrf"]})
    site.browser().get("/-/token", 303)
