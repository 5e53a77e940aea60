"""`review` and `explain` as they are typed: questions, files of answers, and who said what."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.cli import Invocation
from core.cli import explain as explaining
from core.cli import review as reviewing
from core.definition.overrides import LOCK
from core.settings import Settings
from tests.core.definition.sets import write
from tests.core.definition.test_upgrade import (
    FORM_1,
    FORM_2,
    HELP,
    MESSAGE,
    REQUIRED,
    SITE,
    SOURCE,
    TABLE_1,
    TABLE_2,
    release,
)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A site that was reviewed under the first release and stands under the second."""
    monkeypatch.chdir(tmp_path)
    made = Settings.load({"TESSERA_HOME": str(tmp_path / "var"), "TESSERA_ADDONS": str(tmp_path / "addons"),
                          "TESSERA_METADATA": str(tmp_path / "site")})
    release(tmp_path, "1.0.0", TABLE_1, FORM_1)
    write(tmp_path, SITE)
    assert run(made, reviewing.command).output == "There is nothing to review.\n"
    assert (tmp_path / "site" / LOCK).is_file()
    release(tmp_path, "2.0.0", TABLE_2, FORM_2)
    return made


def run(settings: Settings, command: object, *arguments: str, text: str = "") -> Result:
    return CliRunner().invoke(command, arguments, obj=Invocation(settings), input=text)     # type: ignore[arg-type]


def test_a_person_is_asked_about_each_and_may_leave_some_for_later(settings: Settings) -> None:
    result = run(settings, reviewing.command, text="edit\n[1\n\"Net, now.\"\nkeep\nkeep\ntake\nlater\n")
    assert result.exit_code == 1
    shown = result.output
    assert f"site/tables/lead.yaml:7: {HELP}\n" in shown
    assert 'base:   "What it is worth."\n' in shown
    assert 'theirs: "What it is worth, without taxes."  (lead 2.0.0)\n' in shown
    assert 'ours:   "Net, in our currency."\n' in shown
    assert "Error: 'keep' is not one of 'take', 'edit', 'later'." in shown       # what is gone cannot be kept
    assert shown.split("What shall it be (keep, take, edit, later): later\n")[1] == (
        f"{HELP}: edited\n{REQUIRED}: keep\n{SOURCE}: take\n1 still to review\n" + "".join(
            line + "\n" for line in shown.splitlines() if line.startswith("site/tables/lead.yaml:12:12")))
    assert 'help: "Net, now."' in (settings.metadata / "tables/lead.yaml").read_text()


def test_a_file_of_answers(settings: Settings, tmp_path: Path) -> None:
    listed = run(settings, reviewing.command, "--list")
    assert listed.exit_code == 1
    answers = tmp_path / "answers.yaml"
    answers.write_text("".join(line + (" take\n" if line.endswith(":") and not line.startswith("#") else "\n")
                               for line in listed.output.splitlines()))
    done = run(settings, reviewing.command, "--answers", str(answers))
    assert (done.exit_code, done.output) == (0, f"{HELP}: take\n{REQUIRED}: take\n{SOURCE}: take\n{MESSAGE}: take\n")
    again = run(settings, reviewing.command, "--list")
    assert (again.exit_code, [line for line in again.output.splitlines() if not line.startswith("#")]) == (0, [])


def test_explain_prints_value_layer_place_and_what_it_replaced(settings: Settings) -> None:
    result = run(settings, explaining.command, "table", "lead.amount.required")
    assert result.output.splitlines()[:2] == [
        "fields.amount.required  true  [site, site/tables/lead.yaml:7]",
        "                          was city != ''  [lead, addons/lead/tables/lead.yaml:10]"]
    assert "these definitions have 4 problems: run server.py check" in result.output
