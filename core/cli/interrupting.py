"""What `promote` and `rollback` do at their edges: settle what broke off, stop cleanly at Ctrl-C, tell what is left."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Literal

import click
from sqlalchemy import Engine

from core.bm import service
from core.bm.engine.run import Stop
from core.bm.engine.wishes import Left
from core.bm.settling import Wanted
from core.cli import progress
from core.errors import Refused
from core.plugins import Plugins
from core.settings import Settings


@contextmanager
def interruptible() -> Iterator[Stop]:
    """Ctrl-C takes the promotion back as long as its version is not live; a second one ends the process at once.

    Raises Refused that says what becomes of the rest, where the version was live already.
    """
    asked = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, previous)
        click.echo("Stopping as soon as that can be ...", err=True)

    def stop() -> Literal["", "cancel"]:
        return "cancel" if asked else ""
    previous = signal.signal(signal.SIGINT, note)
    try:
        yield stop
    except Left:
        raise Refused("the new version is live already; what is left is done by the work process, or by the next "
                      "`promote`") from None
    finally:
        signal.signal(signal.SIGINT, previous)


def settle_earlier(settings: Settings, engine: Engine, plugins: Plugins, user: str,
                   wanted: Wanted | None = None) -> None:
    """End a promotion that broke off; before its flip it goes on only if its version is wanted: the folder's."""
    with interruptible() as stop:
        if service.finish_earlier(engine, plugins, user, progress.say, stop=stop,
                                  wanted=wanted or service.of_folder(settings, plugins)):
            click.echo("An earlier promotion that had broken off is settled.")


def tell_what_is_left(engine: Engine) -> None:
    """Say which steps of the last promotion the records did not allow."""
    error = service.last_error(engine)
    if error:
        click.echo(f"But not all of it could be done: {error}", err=True)
