"""`import`, `revert` and `token`, as an administrator types them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.cli import Invocation, import_, revert, token
from core.ed.scopes import scopes_of
from core.errors import Refused
from core.web.accounts import head
from tests.small_system import Small, small_system

MAPPING = """
import: company
match: name
fields:
  name: name
  city: {column: town, values: {Muenchen: München}}
"""


@pytest.fixture(scope="module")
def small(database, tmp_path_factory) -> Iterator[Small]:
    with small_system(database, tmp_path_factory.mktemp("small")) as system:
        yield system


@pytest.fixture
def run(small: Small):
    def run_(command, *arguments: object, user: str = "ada") -> Result:
        result = CliRunner().invoke(command, [str(one) for one in arguments], obj=Invocation(small.settings, user))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result
    return run_


def test_a_file_is_tried_imported_and_taken_back(small: Small, run, tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text(MAPPING)
    (tmp_path / "towns.csv").write_text("name,town\nAlpha,Muenchen\nBeta," + "x" * 300 + "\n")
    arguments = ("company", tmp_path / "towns.csv", "--map", tmp_path / "map.yaml")

    tried = run(import_.command, *arguments, "--dry-run")
    assert tried.exit_code == 1 and "would be created 1" in tried.output and "failed 1" in tried.output
    assert small.all("company", "name == 'Alpha'") == []

    done = run(import_.command, *arguments)
    assert done.exit_code == 1, "a row failed"
    assert "created 1, updated 0, unchanged 0, failed 1" in done.output
    assert "city: This may have 200 characters and has 300." in done.output
    assert small.all("company", "name == 'Alpha'", ("city",))[0]["city"] == "München"
    assert len(list((small.settings.home / "imports").glob("*-towns.errors.csv"))) == 2

    number = small.sql("select max(id) from sys.import")[0][0]
    back = run(revert.command, number)
    assert back.exit_code == 0 and "1 records put into the trash" in back.output
    assert small.all("company", "name == 'Alpha'") == []


def test_who_is_not_there_or_may_not_is_refused(run, tmp_path: Path) -> None:
    (tmp_path / "teams.csv").write_text("name\nTeam\n")
    with pytest.raises(Refused, match="there is no user 'nobody'"):
        run(import_.command, "team", tmp_path / "teams.csv", user="nobody")
    with pytest.raises(Refused, match="there is no table 'nothing'"):
        run(import_.command, "nothing", tmp_path / "teams.csv")


def test_a_token_is_printed_once_kept_as_a_hash_and_can_be_revoked(small: Small, run) -> None:
    printed = run(token.command, "bob", "--read-only").output.strip()
    assert all(printed.encode() not in bytes(row[0]) for row in small.sql("select hash from sys.token"))
    with small.engine.connect() as connection:
        account = head(connection, token=printed).account
    assert account is not None and (account.login, account.scopes) == ("bob", scopes_of(("read",)))

    assert "1 tokens revoked" in run(token.command, "bob", "--revoke").output
    with small.engine.connect() as connection:
        assert head(connection, token=printed).account is None
    with pytest.raises(Refused, match="there is no user 'nobody'"):
        run(token.command, "nobody")
