"""Settings whose value each system has for itself: asked for at a promotion, never in a definition or bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.bm import bundling, service
from core.bm.engine.steps import Step
from core.definition import load
from core.errors import Refused
from core.plugins import Plugins
from tests.core.bm.conftest import Live

REPLY_TO = "setting: reply_to\ntype: email\ntitle: Replies go to\nrequired: true\nenvironment: true\n"
KEY = "setting reply_to"


def planned(system: Live, **answers: str) -> service.Planned:
    given = {f"setting {name}": value for name, value in answers.items()}
    return service.plan_folder(system.settings, system.engine, system.plugins, given)


def value(system: Live) -> list[object]:
    return [row[0] for row in system.sql("select value from sys.setting where key = 'setting.reply_to'")]


def test_a_promotion_asks_for_what_this_system_has_for_itself(system: Live) -> None:
    system.site.write("reply_to.yaml", REPLY_TO)
    plan = planned(system).plan
    assert [str(question.words) for question in plan.questions] == [
        'what is "Replies go to" here? Each system has its own value, which no definition holds']
    assert plan.questions[0].key == KEY and plan.questions[0].place.endswith("reply_to.yaml:1:1")
    with pytest.raises(Refused, match="asks questions"):
        system.promote()
    assert value(system) == [] and system.version == 1


def test_the_answer_is_kept_before_the_version_is_live_and_asked_once(system: Live) -> None:
    system.site.write("reply_to.yaml", REPLY_TO)
    system.promote(planned=planned(system, reply_to="service@example.com"))
    assert value(system) == ["service@example.com"]
    system.site.write("deal.yaml", "change: table deal\nfields:\n  region: {type: text}\n")
    assert not planned(system).plan.questions


def test_what_was_told_to_a_promotion_that_is_undone_is_asked_and_told_again(system: Live) -> None:
    system.site.write("reply_to.yaml", REPLY_TO)
    system.site.write("company.yaml", "change: table company\nfields: {region: {type: text}}\n")

    def fail(step: Step) -> None:
        if step.kind == "prepare":
            raise Refused("no")
    with pytest.raises(Refused, match="no"):
        system.promote(planned=planned(system, reply_to="service@example.com"), say=fail)
    assert value(system) == [] and system.version == 1
    assert ("set", "undone") in system.sql("select kind, state from bm.step where promotion_id = 2")
    system.promote(planned=planned(system, reply_to="service@example.com"))
    assert value(system) == ["service@example.com"]


def test_an_answer_that_is_no_value_is_refused(system: Live) -> None:
    system.site.write("reply_to.yaml", REPLY_TO)
    problem, = planned(system, reply_to="nobody").plan.problems
    assert str(problem).startswith(f'the answer to "{KEY}" is wrong: ')


def test_a_renamed_setting_keeps_its_value(system: Live) -> None:
    system.site.write("reply_to.yaml", REPLY_TO)
    system.promote(planned=planned(system, reply_to="service@example.com"))
    system.site.write("reply_to.yaml", REPLY_TO.replace("reply_to", "replies") + "was: reply_to\n")
    assert not planned(system).plan.questions


def test_an_optional_one_is_not_asked_for(system: Live) -> None:
    system.site.write("reply_to.yaml", REPLY_TO.replace("required: true\n", ""))
    assert not planned(system).plan.questions


def test_it_has_no_default(system: Live) -> None:
    system.site.write("reply_to.yaml", REPLY_TO + "default: live@example.com\n")
    problem, = load([system.site.folder / "addons"], system.site.metadata, Plugins()).problems
    assert (problem.line, problem.message) == (6, "each system has its own value, so there is no default")


def test_a_bundle_names_it_and_never_holds_its_value(system: Live, tmp_path: Path) -> None:
    system.site.write("reply_to.yaml", REPLY_TO)
    system.promote(planned=planned(system, reply_to="service@example.com"))
    made = bundling.package(system.settings, Plugins(), tmp_path / "site.bundle")
    assert made.head.environment == ["reply_to"]
    assert b"service@example.com" not in (tmp_path / "site.bundle").read_bytes()
