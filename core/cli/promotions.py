"""`promotions`: what was promoted and how, what is under way, and what one asks of it."""

from __future__ import annotations

import click
from sqlalchemy import Engine

from core.bm import service
from core.bm.engine import faults, history, journal, wishes
from core.bm.engine.faults import Fault
from core.bm.engine.history import Entry
from core.bm.engine.journal import Progress, StepProgress
from core.cli import Invocation, progress
from core.cli.interrupting import interruptible
from core.errors import words_from_json
from core.settings import Settings


@click.command("promotions")
@click.argument("number", required=False, type=click.IntRange(1))
@click.option("--pause", is_flag=True, help="Let NUMBER rest until --continue.")
@click.option("--continue", "go_on", is_flag=True, help="Go on with NUMBER, which was paused, or "
              "broke off and waits for its next try.")
@click.option("--cancel", is_flag=True, help="Take NUMBER back, as long as its version is not live.")
@click.pass_obj
def command(invocation: Invocation, number: int | None, pause: bool, go_on: bool, cancel: bool) -> None:
    """List the promotions, newest first; with NUMBER the steps and statements of one, with their times."""
    options: dict[wishes.Wish, bool] = {"pause": pause, "continue": go_on, "cancel": cancel}
    asked = [wish for wish, given in options.items() if given]
    if len(asked) > 1 or (asked and number is None):
        raise click.UsageError("--pause, --continue and --cancel go with a NUMBER, one at a time")
    with invocation.database() as settings, service.owner(settings) as engine:
        if number is None:
            _list(engine)
        elif asked:
            _ask(settings, engine, number, asked[0], invocation.user)
        else:
            _show(engine, number)


def _list(engine: Engine) -> None:
    with engine.connect() as connection:
        for one in history.entries(connection):
            about = "  ".join(word for word in (one.by, one.message or _sort(one)) if word)
            state = "paused" if one.paused else one.state
            wrong = one.fault or str(one.error or "").split("\n")[0]
            click.echo(f"{one.id:>5}  {one.started_on:%Y-%m-%d %H:%M}  {state:<9}  {one.done:>3} of {one.steps:<3}"
                       f"  {one.base or '-'} -> {one.target}  {about}".rstrip())
            if wrong:
                click.echo(f"{'':>7}{wrong}")


def _sort(one: Entry) -> str:
    """What it is about where nobody said so."""
    if one.base == one.target:
        return "mends what drifted" if one.mends else "removes what was parked"
    return f"back to version {one.target}" if one.back else ""


def _ask(settings: Settings, engine: Engine, number: int, wish: wishes.Wish, user: str) -> None:
    """Note what is asked; where nobody runs the promotion, this process does what is to be done."""
    with engine.begin() as connection:
        wishes.ask(connection, number, wish, user)
    click.echo({"pause": "It will rest as soon as its present batch or step is done.",
                "continue": "It goes on.", "cancel": "It will be taken back."}[wish])
    if wish == "pause":
        return
    with interruptible() as stop:
        try:
            service.finish_earlier(engine, service.load_plugins(settings), user, progress.say, stop=stop, patient=False)
        except wishes.Cancelled as done:
            click.echo(str(done))


def _show(engine: Engine, number: int) -> None:
    with engine.connect() as connection:
        found = journal.progress(connection, number)
        statements = journal.statements(connection, number)
        fault = faults.last(connection, number)
    click.echo(_head(found))
    if fault is not None:
        click.echo(_broke(fault, found.ended))
    for step in found.steps:
        click.echo(_line(step))
        for one in (one for one in statements if one.step == step.number):
            tries = f", {one.tries} times" if one.tries > 1 else ""
            rows = f", {one.rows:,} rows" if one.rows else ""
            click.echo(f"{'':>7}{'undo: ' if one.undo else ''}{one.sql}  [{one.seconds:.3f} s{tries}{rows}]")
    if found.error:
        click.echo(str(found.error))


def _head(found: Progress) -> str:
    lines = [f"Promotion {found.id}: version {found.base or '-'} to {found.target}, {found.state}"]
    lines += [f"by {found.by or 'the command line'} on {found.started_on:%Y-%m-%d %H:%M:%S}"
              + (f", run by process {found.process} on {found.host}" if found.process else "")]
    lines += [found.message] if found.message else []
    if found.paused:
        busy = f"a table is busy ({'; '.join(map(str, map(words_from_json, found.paused.get('blockers', ()))))})"
        why = busy if found.paused["why"] == "busy" else f"asked by {found.paused['by']}"
        lines += [f"paused since {found.paused['since'][:19]}: {why}"]
    return "\n".join(lines)


def _broke(fault: Fault, ended: bool) -> str:
    tried = f"{fault.sentence()}, last on {fault.happened_on:%Y-%m-%d %H:%M:%S}; tried {fault.tries} times"
    again = f"again at {fault.next_on:%H:%M:%S}, or at once with --continue" if fault.waits else "again now"
    return tried if ended else f"{tried}; {again}"


def _line(step: StepProgress) -> str:
    done = f"{step.done:,}" + (f" of {step.total:,}" if step.total is not None else "") if step.done else ""
    left = f"about {step.seconds_left:.0f} s left" if step.state == "running" and step.seconds_left is not None else ""
    about = ", ".join(word for word in (done, f"{step.seconds:.1f} s" if step.seconds else "", left, str(step.note),
                                        str(step.error or "")) if word)
    return f"  {step.number:>3}  {step.kind:<11}  {step.state:<8}  {step.target}{'  ' + about if about else ''}"
