"""`query`: the rows of a query as a table, as JSON or as CSV; without a name, all queries that one may run."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from core.cli import Invocation
from core.cli.acting import sessions
from core.ed import query as queries
from core.ed import query_values
from core.ed.export_formats import safe
from core.ed.query_words import cell, column_title, prompt, query_title
from core.ed.records import Records
from core.errors import Invalid, fill
from core.expression.type_rules import NUMBERS
from core.types.base import Locale

if TYPE_CHECKING:
    from core.definition.queries import Query
    from core.ed.query import Result
    from core.ed.session import Session

WIDEST = 40


@click.command("query", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON, with values as the API gives them.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, with the names of columns as head.")
@click.option("--limit", type=click.IntRange(1, queries.MOST_ROWS), default=1000, show_default=True, help="Most rows.")
@click.option("--offset", type=click.IntRange(0, queries.LARGEST_OFFSET), default=0, help="Rows to skip.")
@click.pass_context
def command(context: click.Context, name: str | None, as_json: bool, as_csv: bool, limit: int, offset: int) -> None:
    """Show the rows of the query NAME; its parameters are options: --city Berlin. Without NAME: which there are."""
    invocation: Invocation = context.obj
    if as_json and as_csv:
        raise click.UsageError("either --json or --csv")
    with invocation.database() as settings, sessions(settings, invocation.user, "query") as opened, \
            opened() as session:
        locale = Locale("en", session.environment.zone)
        if name is None:
            _show_queries(session)
            return
        query = queries.query_of(session, name)
        try:
            options = _by_title(session, query, _options(query, context.args))
            given = query_values.parse(query, options, locale)
            found = queries.run(session, name, given, limit=limit, offset=offset)
        except Invalid as error:
            raise _wrong(session, query, error) from None
        if as_json:
            click.echo(json.dumps([found.wire(row) for row in found.rows], ensure_ascii=False, indent=1))
        elif as_csv:
            click.echo(_csv(found), nl=False)
        else:
            _show_table(session, found, locale)
        if found.more:
            click.echo(f"there are more than {limit} rows; --limit and --offset give others", err=True)


def _options(query: Query, words: Sequence[str]) -> dict[str, str]:
    """The parameters among the words of the command line: --city Berlin, or --city=Berlin."""
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            raise click.UsageError(f"{word!r} belongs to no option")
        name, sign, value = word[2:].partition("=")
        name = name.replace("-", "_")
        if name not in query.parameters:
            known = ", ".join(f"--{one}" for one in query.parameters) or "none"
            raise click.UsageError(f"query {query.name} has no parameter --{name}; there are: {known}")
        if not sign and not rest:
            raise click.UsageError(f"--{name} needs a value")
        found[name] = value if sign else rest.pop(0)
    return found


def _by_title(session: Session, query: Query, options: Mapping[str, str]) -> dict[str, str]:
    """The options with the ids of linked records that are said by their titles."""
    found = dict(options)
    for name, text in options.items():
        field = query.parameters[name]
        if field.target is None or field.expression_type.many or (text.strip().isascii() and text.strip().isdigit()):
            continue
        hits = Records(session).lookup(field.target, text, field.among)
        same = [id for id, title in hits if title.casefold() == text.strip().casefold()]
        if len(same) != 1:
            near = ", ".join(f"{title} ({id})" for id, title in hits[:5])
            raise click.UsageError(f"--{name}: there {'are several' if same else 'is no'} {field.target} {text!r}"
                                   + (f"; write the id: {near}" if near else ""))
        found[name] = str(same[0])
    return found


def _wrong(session: Session, query: Query, error: Invalid) -> click.UsageError:
    """What is missing, by its prompt, and what cannot be read."""
    model = session.system.model
    lines = []
    for problem in error.problems:
        asked = prompt(model, query.parameters[problem.field], "en")
        if problem.code == "required":
            lines.append(f"query {query.name} needs --{problem.field} ({asked})")
        else:
            lines.append(f"--{problem.field} ({asked}): {fill(problem.message, problem.params)}")
    return click.UsageError("\n".join(lines))


def _show_queries(session: Session) -> None:
    model = session.system.model
    shown = [query for name, query in sorted(model.queries.items()) if queries.readable(session, name)]
    width = max((len(query.name) for query in shown), default=0)
    for query in shown:
        asked = " ".join(f"--{name}" if field.required is True else f"[--{name}]"
                         for name, field in query.parameters.items())
        click.echo(f"{query.name:{width}}  {query_title(model, query, 'en')}{'  ' + asked if asked else ''}")


def _show_table(session: Session, found: Result, locale: Locale) -> None:
    model = session.system.model
    heads = [column_title(model, column, "en") for column in found.columns]
    lines = [[_cut(cell(model, column, row, locale)) for column in found.columns] for row in found.rows]
    totals = [cell(model, column, found.totals, locale) if column.name in found.totals else ""
              for column in found.columns] if found.totals else []
    right = [column.type.name in NUMBERS for column in found.columns]
    every = [heads, *lines, *([totals] if totals else [])]
    widths = [max(_width(line[number]) for line in every) for number in range(len(heads))]
    rule = ["-" * width for width in widths]
    for line in (heads, rule, *lines, *([rule, totals] if totals else [])):
        click.echo("  ".join(_padded(text, width, at_right) for text, width, at_right
                             in zip(line, widths, right, strict=True)).rstrip())


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDEST else line[:WIDEST - 1] + "…"


def _width(text: str) -> int:
    """How many places a text takes on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _csv(found: Result) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    keys = list(dict.fromkeys(key for row in found.rows for key in found.wire(row)))
    writer.writerow(keys or [column.name for column in found.columns])
    for row in found.rows:
        wire = found.wire(row)
        writer.writerow(_plain(wire.get(key), _number(found, key)) for key in keys)
    return text.getvalue()


def _number(found: Result, key: str) -> bool:
    return any(column.name == key and column.type.name in NUMBERS
               for column in found.columns)


def _plain(value: Any, number: bool) -> str:
    """A value as a cell; a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if value is None:
        return ""
    text = ", ".join(map(str, _each(value))) if isinstance(value, list) else str(value)
    return text if number else safe(text)


def _each(values: Iterable[Any]) -> Iterable[Any]:
    return ("" if value is None else value for value in values)
