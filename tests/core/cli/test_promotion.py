"""`init`, `plan`, `promote`, `rollback`, `versions`, `pull` and `user add`, as an administrator types them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from core.cli import Invocation, init, plan, promote, pull, rollback, user, versions
from core.database import engine as engines
from core.errors import Refused
from core.settings import Settings
from core.web import accounts

Run = Callable[..., Result]
REGION = "change: table opportunity\nfields:\n  region: {type: text, after: company}\n"


@pytest.fixture(scope="module")
def settings(database: Settings, project: Path) -> Iterator[Settings]:
    """A demo made by `init`, with a site layer that tests may change."""
    shutil.copytree(project / "metadata", database.metadata)
    result = CliRunner().invoke(init.command, ["--demo"], obj=Invocation(database), catch_exceptions=False)
    assert result.exit_code == 0
    assert "demo records" in result.output
    assert "Accounts: admin, marta" in result.output
    yield database


@pytest.fixture
def run(settings: Settings) -> Run:
    def run_(command: click.Command, *arguments: object, **options: object) -> Result:
        return CliRunner().invoke(command, [str(one) for one in arguments], obj=Invocation(settings),
                                  catch_exceptions=False, **options)  # type: ignore[arg-type]
    return run_


@pytest.fixture
def region(settings: Settings, run: Run) -> Iterator[Path]:
    """A field in the site layer; afterwards live is as it was."""
    path = settings.metadata / "tables" / "opportunity.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(REGION)
    yield path
    path.unlink(missing_ok=True)
    run(promote.command, "--yes")


def test_a_demo_is_marked_and_its_people_can_sign_in(settings: Settings) -> None:
    pool = engines.open(settings, "app")
    with pool.begin() as connection:
        assert connection.scalar(text("select value from sys.setting where key = 'demo'")) is True
        assert accounts.sign_in(connection, "marta", "tessera-demo", "127.0.0.1") is not None
        assert accounts.sign_in(connection, "marta", "wrong", "127.0.0.1") is None
    pool.dispose()


def test_init_of_a_system_that_is_there_is_refused(run: Run) -> None:
    with pytest.raises(Refused, match="there already"):
        run(init.command)


def test_plan_exits_0_without_changes_and_2_with_some(run: Run, region: Path) -> None:
    result = run(plan.command)
    assert result.exit_code == 2
    assert "+ field opportunity.region" in result.output and "1 to add, 0 to change, 0 to remove" in result.output
    region.unlink()
    result = run(plan.command)
    assert result.exit_code == 0 and result.output.startswith("No changes")


def test_plan_exits_1_when_it_cannot_be_promoted(run: Run, region: Path) -> None:
    region.write_text("change: table opportunity\nfields:\n  target_margin: {type: file}\n")
    result = run(plan.command)
    assert result.exit_code == 1
    assert "cannot turn from percent into file" in result.output and "opportunity.yaml:" in result.output


def test_requirement_10_a_plan_is_approved_as_a_file_and_void_when_the_definitions_change(
        run: Run, region: Path, tmp_path: Path) -> None:
    approved = tmp_path / "plan.json"
    approved.write_text(run(plan.command, "--json").output)
    assert json.loads(approved.read_text())["changes"][0]["name"] == "opportunity.region"
    region.write_text(REGION.replace("text", "integer"))
    with pytest.raises(Refused, match="not the plan that was approved"):
        run(promote.command, "--yes", approved)
    region.write_text(REGION)
    assert run(promote.command, "--yes", approved).exit_code == 0
    with pytest.raises(Refused, match="is no plan"):
        run(promote.command, "--yes", region)


def test_nothing_is_done_unless_somebody_says_yes(run: Run, region: Path) -> None:
    with pytest.raises(Refused, match="add --yes"):
        run(promote.command)
    assert run(plan.command).exit_code == 2


def test_promote_rollback_versions_and_pull(run: Run, region: Path, settings: Settings) -> None:
    region.write_text(REGION.replace("region", "district"))
    assert "is live." in run(promote.command, "--yes", "--message", "Districts").output
    listed = run(versions.command).output.splitlines()
    assert listed[0].startswith("*") and "admin  Districts" in listed[0]
    assert (settings.metadata / ".base").read_text().startswith(listed[0].split()[2])
    result = run(rollback.command, "--yes")
    assert "- field opportunity.district" in result.output and "is live." in result.output
    assert str(region.relative_to(settings.metadata)) in run(pull.command).output
    assert not region.exists() and run(plan.command).exit_code == 0


def test_a_user_is_added_with_roles_and_a_password_shown_once(run: Run, settings: Settings) -> None:
    password = run(user.command, "add", "bob", "--role", "salesperson", "--name", "Bob Ross").output.split()[-1]
    pool = engines.open(settings, "app")
    with pool.begin() as connection:
        assert accounts.sign_in(connection, "bob", password, "127.0.0.1") is not None
    pool.dispose()
    for arguments, told in ((["bob"], "is taken"), (["eve", "--role", "boss"], 'no role "boss"'),
                            (["Ev il"], "cannot be a login"), (["eve", "--for", "Nobody"], "is no user named"),
                            (["eve", "--for", "Bob Ross"], "has an account already")):
        with pytest.raises(Refused, match=told):
            run(user.command, "add", *arguments)


def test_commands_before_init_say_what_to_do(server: Settings, database: Settings) -> None:
    empty = database.model_copy(update={"database": (database.database or "").rpartition("/")[0] + "/postgres"})
    with pytest.raises(Refused, match=r"the database is empty; run `server\.py init`"):
        CliRunner().invoke(plan.command, [], obj=Invocation(empty), catch_exceptions=False)


def test_any_other_system_starts_with_a_link_and_refuses_demo_accounts(
        server: Settings, tmp_path_factory: pytest.TempPathFactory, project: Path) -> None:
    from core.bm import service
    from core.bm.versions import live
    from core.ed.accounts import create_account
    from core.ed.session import Session
    from tests.databases import fresh_database
    with fresh_database(server, tmp_path_factory) as settings:
        shutil.copytree(project / "metadata", settings.metadata)
        result = CliRunner().invoke(init.command, [], obj=Invocation(settings), catch_exceptions=False)
        secret = result.output.strip().rpartition("/set-up/")[2]
        with service.owner(settings) as engine, engine.begin() as connection:
            assert accounts.setup_link_open(connection, secret)
            account = accounts.use_setup_link(connection, secret, "a long enough password")
            assert accounts.sign_in(connection, "admin", "a long enough password", "127.0.0.1") == account
            system = live.system(connection, 1, service.load_plugins(settings))
            with pytest.raises(Refused, match="for demo systems only"):
                create_account(Session.system_session(system, connection), 1, "demo", None, demo=True)
