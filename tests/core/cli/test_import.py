"""`import`, `revert` and `token`, as an administrator types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.cli import Invocation, export, import_, revert, token
from core.cli.import_ import time_left
from core.ed.scopes import scopes_of
from core.errors import Refused, TesseraError
from core.web.accounts import head
from tests.small_system import Small

MAPPING = """
import: company
match: name
fields:
  name: name
  city: {column: town, values: {Muenchen: München}}
"""


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


def test_a_preview_shows_how_a_file_is_understood(small: Small, run, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes("name;city\nÉmile;Köln\nfoo\n".encode())
    told = run(import_.command, "company", file, "--preview").output
    assert "rows.csv (utf-8, delimiter ';'), 2 rows" in told
    assert "name: Émile | foo" in told and "row 3: this row has 1 cells" in told
    assert not small.all("company", "name == 'Émile'")


def test_the_time_that_is_left_is_told_by_the_pace_so_far() -> None:
    assert time_left(0, 10, 5) == "" and time_left(10, 0, 5) == ""
    assert time_left(100, 300, 2) == ", 6 s left"
    assert time_left(1_000, 100_000, 1.5) == ", 2 min 30 s left"


def test_a_table_is_exported_and_what_cannot_be_is_refused(small: Small, run, tmp_path: Path) -> None:
    small.create("company", name="Outgoing", city="Ulm")
    out = tmp_path / "out.csv"
    told = run(export.command, "company", "--where", "name == 'Outgoing'", "--fields", "name,city", "--out", out,
               "--no-mark").output
    assert out.read_bytes() == b"name,city\r\nOutgoing,Ulm\r\n" and "1 records of company" in told
    for arguments in (["nothing"], ["company", "--fields", "nothing"], ["company", "--format", "pdf"],
                      ["company", "--where", "nothing == 1"]):
        with pytest.raises(TesseraError):
            run(export.command, *arguments, "--out", tmp_path / "none.csv")
    assert not [path for path in tmp_path.iterdir() if "none" in path.name], "a file is there as a whole or not at all"
