"""server.py: commands found by name, problems told in a line, exit codes that scripts can rely on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from core.cli import COMMANDS, doctor
from core.settings import ROOT, Settings


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "server.py", *arguments], cwd=ROOT, env={**os.environ, **environ},
                          capture_output=True, text=True, timeout=120, check=False)


def of(settings: Settings) -> dict[str, str]:
    return {"TESSERA_HOME": str(settings.home), "TESSERA_DATABASE": str(settings.database)}


def test_help_lists_every_command_without_importing_any() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(f"  {name} " in done.stdout and line in done.stdout for name, (_, line) in COMMANDS.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    from core.cli import group
    command = group.get_command(None, name)  # type: ignore[arg-type]  # no context is looked at
    assert command is not None and command.help


@pytest.mark.parametrize("arguments", [("nonsense",), ("serve", "--port", "eighty"), ("upgrade", "--nonsense")])
def test_wrong_usage_exits_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "Error:" in done.stderr


def test_wrong_settings_exit_1_with_the_key_named(tmp_path: Path) -> None:
    done = run("doctor", TESSERA_HOME=str(tmp_path), PORT="eighty")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "port:" in done.stderr


def test_a_database_that_does_not_answer_is_told_in_a_line(tmp_path: Path) -> None:
    done = run("upgrade", TESSERA_HOME=str(tmp_path), TESSERA_DATABASE="postgresql://a:b@127.0.0.1:1/c")
    assert done.returncode == 1
    assert done.stderr.startswith("the database does not answer: ")
    assert "Traceback" not in done.stderr


def test_a_home_that_cannot_be_made_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("upgrade", TESSERA_HOME=str(tmp_path / "file" / "home"), TESSERA_DATABASE="")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert str(tmp_path / "file") in done.stderr


def test_an_upgrade_of_what_is_up_to_date_does_nothing(database: Settings) -> None:
    done = run("upgrade", **of(database))
    assert (done.returncode, done.stdout) == (0, "nothing to do\n")


def test_the_doctor_names_what_is_wrong_and_what_to_do(database: Settings, engine: Engine) -> None:
    (database.home / "secrets.yaml").chmod(0o600)
    done = run("doctor", TESSERA_METADATA="/nowhere/at/all", **of(database))
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["/nowhere/at/all: there is no such folder (TESSERA_METADATA)",
                                        "there is no live version yet: run `server.py init`"]


def test_the_doctor_is_content_with_a_system_that_is_well(database: Settings, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("insert into bm.version (hash, manifest, identities) values ('a', '{}', '{}')"))
        connection.execute(text("update bm.live set version = (select max(id) from bm.version)"))
    done = run("doctor", **of(database))
    assert (done.returncode, done.stdout) == (0, "all is well\n")


def test_an_app_role_that_may_do_too_much_is_told(database: Settings, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("create table ed.wrong (id bigint)"))
        connection.execute(text("grant create on schema ed to tessera_app"))
        connection.execute(text("alter table ed.wrong owner to tessera_app"))
    done = run("serve", "--no-work", "--port", "1", **of(database))
    assert done.returncode == 1
    assert "the role tessera_app that serves requests may do too much" in done.stderr


def test_the_doctor_queues_a_rebuild_of_the_search_index_once(database: Settings, engine: Engine) -> None:
    first, second = doctor.rebuild_search(database), doctor.rebuild_search(database)
    assert "built anew by" in first and "waiting" in second
    with engine.connect() as connection:
        queued = connection.execute(text("select task_name, status from jobs.procrastinate_jobs")).all()
    assert [tuple(row) for row in queued] == [("rebuild_search", "todo")]
