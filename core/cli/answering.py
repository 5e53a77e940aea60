"""What the commands of promotion ask: answers from options, a file, an approved plan, or a person at the terminal."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from core.bm.inputs.questions import Answers, Question, as_yaml, read_answers
from core.bm.planning.describe import question_lines
from core.bm.service import Planned
from core.cli import progress
from core.errors import Refused

LARGEST = 50_000_000            # bytes of a plan
Make = Callable[[Answers], Planned]


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which a command is told answers."""
    command = click.option("--answer", "pairs", metavar="KEY=VALUE", multiple=True,
                           help="Answer a question of the plan; may be given several times.")(command)
    return click.option("--answers", "file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
                        help="Answers to questions of the plan: a YAML file of `key: answer`.")(command)


def given(file: Path | None, pairs: tuple[str, ...], approved: Path | None = None) -> dict[str, str]:
    """The answers that a command was told; those of an approved plan go with no others. Raises Refused."""
    if approved is None:
        return read_answers(file, pairs)
    if file is not None or pairs:
        raise Refused("the approved plan has its answers; plan again to give others")
    return dict(approved_plan(approved).get("answers", {}))


def approved_plan(file: Path) -> dict[str, Any]:
    """A plan that `plan --json` wrote. Raises Refused."""
    try:
        found = json.loads(file.read_text(encoding="utf-8")) if file.stat().st_size <= LARGEST else None
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("hash"), str) \
            or not isinstance(found.get("answers", {}), dict) \
            or not all(isinstance(answer, str) for answer in found.get("answers", {}).values()):
        raise Refused(f"{file} is no plan; write one with `plan --json > FILE`")
    return found


def settled(make: Make, answers: Answers, command: str) -> Planned:
    """Plan, and ask a person at the terminal what is open, one question after the other; else it stays open."""
    planned, said = make(answers), dict(answers)
    while planned.plan.questions and not planned.plan.problems and progress.attended():
        question = planned.plan.questions[0]
        tried = {**said, question.key: _ask(question)}
        found = make(tried)
        if found.plan.problems:
            click.echo("\n".join(f"  {one}" for one in found.plan.problems))
        else:
            planned, said = found, tried
    if said != answers:
        _keep(said, command)
    return planned


def _ask(question: Question) -> str:
    click.echo("\n" + "\n".join(question_lines(question)))
    while True:
        answer: str = click.prompt(question.key, default="", show_default=False).strip()
        if question.takes(answer):
            return answer
        click.echo("Say one of: " + ", ".join(option.value for option in question.options))


def _keep(answers: Answers, command: str) -> None:
    """Offer to write the answers down, and say how they are given again."""
    name = click.prompt("Write these answers to a file? Its name, or nothing", default="", show_default=False).strip()
    given = " ".join(f"--answer {shlex.quote(f'{key}={answer}')}" for key, answer in answers.items())
    if name:
        try:
            with Path(name).open("x", encoding="utf-8") as kept:
                kept.write(as_yaml(answers))
            given = f"--answers {shlex.quote(name)}"
        except OSError as error:
            click.echo(f"{name} cannot be written: {error.strerror}")
    click.echo(f"To answer the same again: server.py {command} {given}\n")
