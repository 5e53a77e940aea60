"""`export`: the records of a table as a file."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import click

from core.bm.service import load_plugins
from core.cli import Invocation
from core.cli.acting import sessions
from core.ed.export_formats import Csv
from core.ed.exporting import Wanted, export, format_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command("export")
@click.argument("table")
@click.option("--where", metavar="CONDITION", help="Which records: city == 'Ulm'.")
@click.option("--search", metavar="WORDS", help="Only records that hold the words.")
@click.option("--fields", metavar="FIELDS",
              help="Fields and paths, as name,company.city; all that are stored unless told.")
@click.option("--order", metavar="FIELDS", help="Sorted by: -amount,name.")
@click.option("--format", "format_name", metavar="FORMAT",
              help="csv, xlsx, json, jsonl or one of an addon; by FILE unless told.")
@click.option("--links", type=click.Choice(("title", "id", "both")), default="title", show_default=True,
              help="What stands for a linked record in a table of cells.")
@click.option("--no-mark", is_flag=True, help="CSV without the byte order mark.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file; standard output unless told.")
@click.pass_context
def command(context: click.Context, table: str, where: str | None, search: str | None, fields: str | None,
            order: str | None, format_name: str | None, links: Literal["title", "id", "both"], no_mark: bool,
            out: Path | None) -> None:
    """Write the records of TABLE that you may export, with what you may read of them, all of one moment."""
    invocation: Invocation = context.obj
    wanted = Wanted(table, _names(fields) if fields else None, where, order=_names(order), search=search, links=links)
    with invocation.database() as settings, sessions(settings, invocation.user, "export") as opened:
        name = format_name or (out.suffix.lstrip(".").lower() if out else "") or "csv"
        format_ = format_of(name, load_plugins(settings).export_formats)
        if no_mark and name == "csv":
            format_ = Csv(mark=False)
        with opened() as session, _file(out) as file:
            count = export(session, wanted, format_, file)
    click.echo(f"{count} records of {table}" + (f" in {out}" if out else ""), err=True)


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


@contextmanager
def _file(path: Path | None) -> Iterator[BinaryIO]:
    """A file that is there as a whole or not at all; standard output without one."""
    if path is None:
        yield sys.stdout.buffer
        return
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with waiting.open("wb") as file:
            yield file
        waiting.replace(path)
    finally:
        waiting.unlink(missing_ok=True)
