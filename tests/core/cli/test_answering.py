"""Questions of a plan at the command line: asked, answered by options and files, refused where nobody answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from core.bm import bundling
from core.bm.inputs.questions import read_answers
from core.cli import Invocation, plan, progress, promote, rollback
from core.errors import Refused
from core.plugins import Plugins
from tests.core.bm.conftest import Live
from tests.core.bm.conftest import database_of_test as database_of_test
from tests.core.bm.conftest import system as system
from tests.core.bm.sites import ADDON

Run = Callable[..., Result]
RENAMED = ADDON["company.yaml"].replace("size: {type: integer}", "headcount: {type: integer}")


@pytest.fixture
def run(system: Live) -> Run:
    def run_(command: click.Command, *arguments: object, **options: object) -> Result:
        return CliRunner().invoke(command, [str(one) for one in arguments], obj=Invocation(system.settings),
                                  catch_exceptions=False, **options)  # type: ignore[arg-type]
    return run_


@pytest.fixture
def renamed(system: Live) -> int:
    """A field under another name that nothing tells, with a value in a record."""
    firm = system.create("company", name="Firm", size=3)
    system.site.addon("company.yaml", RENAMED)
    return firm


def test_unanswered_a_plan_exits_1_and_names_the_question_and_the_ways_out(run: Run, renamed: int) -> None:
    result = run(plan.command)
    assert result.exit_code == 1
    for part in ("rename company.size", "is it the same under a new name?", "1 record (", "Firm", "headcount  ",
                 "new  ", "--answer 'KEY=VALUE' or --answers FILE", "in the definition: was: size"):
        assert part in result.output, part
    assert "Steps:" not in result.output


def test_requirement_6_unattended_a_promotion_without_answers_is_refused_and_changes_nothing(
        system: Live, run: Run, renamed: int) -> None:
    with pytest.raises(Refused, match='nobody answered "rename company.size"; nothing was done'):
        run(promote.command, "--yes")
    assert system.version == 1


@pytest.mark.parametrize("how", ["answer", "answers"])
def test_answers_come_from_options_and_files(system: Live, run: Run, renamed: int, tmp_path: Path, how: str) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text("rename company.size: headcount\n")
    result = run(promote.command, "--yes", f"--{how}", file if how == "answers" else "rename company.size=headcount")
    assert "field company.size is renamed company.headcount" in result.output
    assert "rename company.size: headcount" in result.output
    assert system.read("company", renamed)["headcount"] == 3


def test_an_approved_plan_is_applied_with_the_answers_it_holds(system: Live, run: Run, renamed: int,
                                                              tmp_path: Path) -> None:
    approved = tmp_path / "plan.json"
    approved.write_text(run(plan.command, "--json", "--answer", "rename company.size=headcount").output)
    assert json.loads(approved.read_text())["answers"] == {"rename company.size": "headcount"}
    with pytest.raises(Refused, match="the approved plan has its answers"):
        run(promote.command, approved, "--yes", "--answer", "rename company.size=new")
    run(promote.command, approved, "--yes")
    assert system.read("company", renamed)["headcount"] == 3


def test_an_approved_plan_with_other_answers_is_another_plan(run: Run, renamed: int, tmp_path: Path) -> None:
    approved = tmp_path / "plan.json"
    body = json.loads(run(plan.command, "--json", "--answer", "rename company.size=headcount").output)
    approved.write_text(json.dumps({**body, "answers": {"rename company.size": "new"}}))
    with pytest.raises(Refused, match="not the plan that was approved"):
        run(promote.command, approved, "--yes")
    approved.write_text("[]")
    with pytest.raises(Refused, match="is no plan"):
        run(promote.command, approved, "--yes")


def test_at_a_terminal_each_question_is_asked_until_it_is_answered(system: Live, run: Run, renamed: int,
                                                                 monkeypatch: pytest.MonkeyPatch,
                                                                 tmp_path: Path) -> None:
    monkeypatch.setattr(progress, "attended", lambda: True)
    kept = tmp_path / "kept.yaml"
    result = run(promote.command, "--yes", input=f"perhaps\nheadcount\n{kept}\n")
    assert "1 record (" in result.output and "Say one of: headcount, new" in result.output
    assert f"To answer the same again: server.py promote --answers {kept}" in result.output
    assert read_answers(kept) == {"rename company.size": "headcount"}
    assert system.read("company", renamed)["headcount"] == 3


def test_an_answer_that_does_not_fit_is_told_and_asked_again(system: Live, run: Run,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "attended", lambda: True)
    system.create("company", name="Empty")
    system.site.write("company.yaml", "change: table company\nfields:\n  size: {required: true}\n")
    result = run(promote.command, "--yes", input="many\nleave\n\n")
    assert 'the answer to "fill company.size" is wrong' in result.output
    assert "--answer 'fill company.size=leave'" in result.output and system.version == 2


def test_a_way_back_refuses_answers_to_what_it_does_not_ask(system: Live, run: Run, renamed: int) -> None:
    run(promote.command, "--yes", "--answer", "rename company.size=headcount")
    with pytest.raises(Refused, match="nothing was done"):
        run(rollback.command, "--yes", "--answer", "fill company.size=1")
    run(rollback.command, "--yes")
    assert system.read("company", renamed)["size"] == 3


def test_row_83_a_bundle_that_widens_rights_hides_values_and_renames_stops_for_consent_with_counts(
        system: Live, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk = "role: clerk\ntitle: Clerk\ngrants: {company: {read: true}, company.size: {read: %s}}\n"
    system.site.write("clerk.yaml", clerk % "false")
    system.site.write("deal.yaml", "change: table deal\nfields: {region: {type: text}, zone: {type: text}}\n")
    version = system.promote()
    for zone in ("north", "south"):
        system.create("deal", region="here", zone=zone)
    system.site.write("clerk.yaml", clerk % "true")
    system.site.write("deal.yaml", "change: table deal\nfields: {area: {type: text, was: region}}\n")
    path = tmp_path / "new.bundle"
    bundling.package(system.settings, Plugins(), path, "Areas", "ada")
    monkeypatch.setattr(progress, "attended", lambda: True)

    said = run(plan.command, path).output
    for part in ("rights are widened: role clerk may read what it could not: company.size (places: 1)",
                 "field deal.zone goes out of sight; values in it: 2",
                 "field deal.region is renamed deal.area: pages and the API say area from then on"):
        assert part in said[:said.index("Steps:")], part
    with pytest.raises(Refused, match="nothing was done"):
        run(promote.command, path, input="yes\n")
    assert system.version == version


@pytest.mark.parametrize("written", [
    "[" * 100_000, '{"hash": "x", "answers": {"a": ' + "[" * 100_000, '{"hash": "x", "answers": {"a": 1}}',
    '{"hash": "x", "answers": {"a": ["b"]}}', '{"hash": 1}', '{"hash": "x", "answers": null}', "NaN", "\x00"])
def test_a_plan_that_is_none_is_refused_whatever_it_is(run: Run, tmp_path: Path, written: str) -> None:
    (tmp_path / "plan.json").write_text(written)
    with pytest.raises(Refused, match="is no plan"):
        run(promote.command, tmp_path / "plan.json", "--yes")


def test_answers_without_an_end_are_too_large() -> None:
    with pytest.raises(Refused, match="larger than"):
        read_answers(Path("/dev/zero"))
