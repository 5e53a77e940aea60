"""`why`: the verdict, and each step with the file and line that decides it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from core.cli import Invocation
from core.cli.why import command
from core.settings import Settings
from tests.small_system import Small, small_system


@pytest.fixture(scope="module")
def small(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_system(database, tmp_path_factory.mktemp("why")) as found:
        yield found


def run(small: Small, *arguments: object, user: str = "ada") -> Result:
    return CliRunner().invoke(command, [str(one) for one in arguments], obj=Invocation(small.settings, user))


def test_it_says_yes_or_no_and_why(small: Small) -> None:
    said = run(small, "ada", "read", "company").stdout.splitlines()
    assert said[0] == "yes, this is allowed"
    assert said[1].startswith("+ Holds the role ") and ".yaml:" in said[1]
    other = next(name for name in small.users if name != "ada")
    denied = run(small, other, "change", "role_assignment").stdout.splitlines()
    assert denied[0] == "no, this is not allowed" and denied[-1].startswith("needed: A role that grants it: ")


def test_administrators_ask_and_nobody_else(small: Small) -> None:
    other = next(name for name in small.users if name != "ada")
    assert "only an administrator may ask this" in str(run(small, "ada", "read", "company", user=other).exception)
    assert "there is no user" in str(run(small, "nobody", "read", "company").exception)
    assert run(small, "ada", "fly", "company").exit_code == 2


def test_what_administrators_do_is_asked_without_a_table(small: Small) -> None:
    said = run(small, "ada", "promote").stdout.splitlines()
    assert said[0] == "yes, this is allowed" and any("may do everything" in line for line in said)
    other = next(name for name in small.users if name != "ada")
    denied = run(small, other, "purge").stdout.splitlines()
    assert denied[0] == "no, this is not allowed" and denied[-1].startswith("needed: A role that grants it: Admin")
    assert run(small, "ada", "promote", "company").exit_code == 2 and run(small, "ada", "read").exit_code == 2
