"""`import`: rows of a file become records."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from core.cli import Invocation
from core.cli.acting import sessions
from core.ed import mapping as mappings
from core.ed import table_file
from core.ed.importing import BATCH, Import, Result
from core.errors import Refused

MOST_SHOWN = 10
SHOWN_ROWS = 3                      # of a preview
WIDEST = 40


@click.command("import")
@click.argument("table")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "map_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="How columns become fields (docs/import.md).")
@click.option("--match", multiple=True, metavar="FIELD", help="Update the record that has the same value here.")
@click.option("--preview", is_flag=True, help="Show how the file is understood, and do nothing.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--again", is_flag=True, help="Import a file that is in already once more.")
@click.option("--batch", type=click.IntRange(1, 10_000), default=BATCH, show_default=True, help="Rows a transaction.")
@click.pass_context
def command(context: click.Context, table: str, file: Path, map_file: Path | None, match: tuple[str, ...],
            preview: bool, dry_run: bool, again: bool, batch: int) -> None:
    """Read records of TABLE from a FILE: CSV, XLSX, JSON. Run again after a kill, it goes on where it was."""
    invocation: Invocation = context.obj
    mapping = mappings.load(map_file.read_bytes(), str(map_file)) if map_file else None
    read = table_file.read(file.read_bytes(), file.name, mapping.encoding if mapping else None,
                           mapping.delimiter if mapping else None, mapping.sheet if mapping else None)
    if preview:
        _preview(read)
        return
    with invocation.database() as settings, sessions(settings, invocation.user, "import") as opened:
        if mapping is None:
            with opened() as session:
                if table not in session.system.model.tables:
                    raise Refused(f"there is no table {table!r}")
                mapping = mappings.plain(session.system.model.tables[table], read.header, match)
        elif match:
            mapping = mapping.model_copy(update={"match": match})
        job = Import(opened, table, read, mapping, settings.home / "imports", batch)
        result = job.try_out() if dry_run else job.run(again, _told(len(read.rows)))
    _report(read, result, dry_run)
    context.exit(1 if result.failed else 0)


def _told(rows: int) -> Callable[[int], None]:
    """Progress as one line that is written over, with the time that is left, for people only."""
    begun, first = time.monotonic(), 0

    def tell(done: int) -> None:
        nonlocal first, begun
        if not first:                                      # what an earlier run did took no time of this one
            first, begun = done, time.monotonic()
        if sys.stderr.isatty():
            click.echo(f"\r{done} of {rows} rows{time_left(done - first, rows - done, time.monotonic() - begun)}   ",
                       nl=done >= rows, err=True)
    return tell


def time_left(done: int, left: int, seconds: float) -> str:
    """How long it will still take at the pace so far; nothing while that cannot be said."""
    if not done or not left:
        return ""
    rest = round(seconds / done * left)
    return f", {rest // 60} min {rest % 60} s left" if rest >= 60 else f", {rest} s left"


def _preview(file: table_file.TableFile) -> None:
    """The columns with what stands in their first rows, so that a wrong guess is seen before anything is written."""
    click.echo(_makeup(file))
    for place, column in enumerate(file.header):
        cells = [row.cells[place] for row in file.rows[:SHOWN_ROWS] if place < len(row.cells)]
        click.echo(f"  {column}: " + " | ".join(
            cell if len(cell) <= WIDEST else cell[:WIDEST - 1] + "…" for cell in cells))
    for row in [row for row in file.rows if row.problem][:MOST_SHOWN]:
        click.echo(f"  row {row.number}: {row.problem}")


def _makeup(file: table_file.TableFile) -> str:
    kind = "JSON" if file.is_json else "" if file.encoding == "XLSX" else f", delimiter {file.delimiter!r}"
    return f"{file.name} ({file.encoding}{', ' if file.is_json else ''}{kind}), {len(file.rows)} rows"


def _report(file: table_file.TableFile, result: Result, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    name = "dry run" if dry_run else f"import {result.id}"
    resumed = f", resumed after row {result.resumed_at}" if result.resumed_at else ""
    click.echo(f"{name}: {_makeup(file)}{resumed}")
    click.echo(f"  {would}created {result.created}, {would}updated {result.updated}, unchanged {result.unchanged}, "
               f"failed {result.failed}")
    for (field, value), count in result.skipped.most_common(MOST_SHOWN):
        click.echo(f"  {field} left empty {count} times: nothing is called {value!r}")
    for reason, count in result.reasons.most_common(MOST_SHOWN):
        click.echo(f"  {count} rows: {reason}")
    if len(result.reasons) > MOST_SHOWN:
        click.echo(f"  and {len(result.reasons) - MOST_SHOWN} other reasons")
    if result.errors is not None:
        click.echo(f"  the rows that failed, with reasons: {result.errors}")
