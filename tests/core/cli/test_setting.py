"""`setting`: all, one, another value, a value of its own, and the way back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from core.cli import Invocation
from core.cli.setting import command
from core.settings import Settings
from tests.small_system import Small, small_system

MORE = {
    "tables/user.yaml": "change: table user\nfields: {organisation: {type: link, to: organisation}}\n",
    "settings/limit.yaml": "setting: limit\ntype: percent\nmax: 90\ndefault: 20\nwho: [seller]\nper: organisation\n",
    "settings/greeting.yaml": "setting: greeting\ntype: text\n",
    "settings/strict.yaml": "setting: strict\ntype: boolean\ndefault: true\n",
}


@pytest.fixture(scope="module")
def small(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_system(database, tmp_path_factory.mktemp("settings"), MORE) as found:
        yield found


def run(small: Small, *arguments: object, user: str = "ada") -> Result:
    return CliRunner().invoke(command, [str(one) for one in arguments], obj=Invocation(small.settings, user))


def test_a_setting_is_shown_changed_and_brought_back(small: Small) -> None:
    assert run(small).stdout.splitlines() == ["greeting = (empty)", "limit = 20", "strict = true"]
    assert run(small, "limit", "30").stdout == "limit = 30\n"
    assert run(small, "limit").stdout == "limit = 30\n"
    assert run(small, "strict", "no").stdout == "strict = false\n"
    assert run(small, "limit", "--reset").stdout == "limit = 20\n"
    assert small.sql("select key, user_id, how from sys.setting_change order by id limit 1") == [
        ("setting.limit", small.users["ada"], "system")]


def test_an_organisation_has_its_own(small: Small) -> None:
    north = small.create("organisation", name="North")
    assert run(small, "limit", "40", "--for", north).stdout == "limit = 40\n"
    assert (run(small, "limit", "--for", north).stdout, run(small, "limit").stdout) == ("limit = 40\n", "limit = 20\n")
    refused = run(small, "greeting", "x", "--for", north)
    assert "This setting is the same for everybody." in str(refused.exception)


def test_sellers_change_theirs_only(small: Small) -> None:
    assert run(small, user="bob").stdout.splitlines() == ["limit = 20"]
    assert "There is no setting greeting that you may change." in str(run(small, "greeting", "x", user="bob").exception)


@pytest.mark.parametrize(("arguments", "said"), [
    (("limit", "much"), "is not a number"), (("limit", "91"), "90"), (("strict", "perhaps"), "neither yes nor no"),
    (("nothing",), "There is no setting nothing")])
def test_what_does_not_fit_is_refused(small: Small, arguments: tuple[str, ...], said: str) -> None:
    assert said in str(run(small, *arguments).exception)


@pytest.mark.parametrize("arguments", [("limit", "3", "--reset"), ("--reset",), ("--for", "3"), ("limit", "--for", "0")])
def test_what_makes_no_sense_is_wrong_usage(small: Small, arguments: tuple[str, ...]) -> None:
    assert run(small, *arguments).exit_code == 2
