"""The commands of server.py: one module each, imported only when it is asked for."""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import click

from core.errors import TesseraError
from core.settings import Settings

if TYPE_CHECKING:
    from core.definition import Sources

# No secret: a demo listens on loopback only and shows it to everybody.
DEMO_PASSWORD = "tessera-demo"  # noqa: S105

# A command's name -> the module that holds it as `command`, and one line of help that needs no import.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("core.cli.init", "Create the database and promote the first version."),
    "serve": ("core.cli.serve", "Serve pages and the API, and work off jobs."),
    "work": ("core.cli.work", "Work off jobs only."),
    "offline": ("core.cli.offline", "The offline system; started by serve."),
    "check": ("core.cli.check", "Check the definitions; needs no database."),
    "where-used": ("core.cli.where_used", "Say who uses a definition or a part of it."),
    "rename": ("core.cli.rename", "Rename a field, a value or a table in all files of the site."),
    "explain": ("core.cli.explain", "Say who gave each property its value, and what it replaced."),
    "review": ("core.cli.review", "Go through overrides whose base a release changed."),
    "schema": ("core.cli.schema", "Write JSON Schemas of the definitions for editors."),
    "plan": ("core.cli.plan", "Show what a promotion would change."),
    "promote": ("core.cli.promote", "Take the definitions to live."),
    "rollback": ("core.cli.rollback", "Go back to an earlier version."),
    "drift": ("core.cli.drift", "Show where live is not as its version says."),
    "parked": ("core.cli.parked", "List what was removed and is kept; bring it back."),
    "promotions": ("core.cli.promotions", "List promotions; pause, continue or cancel one."),
    "versions": ("core.cli.versions", "List the versions."),
    "package": ("core.cli.package", "Write the site's layer into one file."),
    "pull": ("core.cli.pull", "Bring live's site layer into the folder."),
    "import": ("core.cli.import_", "Read records from a file."),
    "revert": ("core.cli.revert", "Take back an import."),
    "export": ("core.cli.export", "Write records to a file."),
    "purge": ("core.cli.purge", "Remove for good what has been in the trash for long."),
    "backup": ("core.cli.backup", "Write everything into one file."),
    "restore": ("core.cli.restore", "Bring a backup into an empty place."),
    "user": ("core.cli.user", "Add users."),
    "query": ("core.cli.query", "Show the rows of a query."),
    "why": ("core.cli.why", "Say why somebody can or cannot see or do a thing."),
    "setting": ("core.cli.setting", "Show or change a setting."),
    "token": ("core.cli.token", "Print a new API token."),
    "translate": ("core.cli.translate", "Say what is not translated; bring translations up to date."),
    "upgrade": ("core.cli.upgrade", "Bring our own tables up to this release."),
    "doctor": ("core.cli.doctor", "Look for what is wrong with this system."),
}

SILENT = frozenset({"check"})       # write no log, so they need not wait for its libraries


class Commands(click.Group):
    """A group that imports a command when it is run, so that each starts fast and a broken one harms no other."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of a system's life."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name][0]}.command is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=Commands, name="server.py", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--as", "user", metavar="USER", default="admin", show_default=True, help="Act as this user.")
@click.pass_context
def group(context: click.Context, user: str) -> None:
    """Tessera: a CRM made of metadata."""
    settings = Settings.load()
    if context.invoked_subcommand not in SILENT:
        _log(settings)
    context.obj = Invocation(settings, user)


def _log(settings: Settings) -> None:
    from core import log
    try:
        log.configure(settings.log, people=sys.stderr.isatty())
    except ValueError as error:
        raise click.UsageError(str(error)) from None


class Invocation:
    """What every command gets (`@click.pass_obj`): the settings, and the name of the acting user."""

    def __init__(self, settings: Settings, user: str = "admin") -> None:
        self.settings = settings
        self.user = user

    def sources(self) -> Sources:
        """The definitions on disk: the addons and the site's folder. Raises DefinitionError for a broken plugin.py."""
        from core.definition import Sources
        from core.plugins import Plugins
        return Sources(self.settings.addon_folders, self.settings.metadata, Plugins.load(self.settings.addon_folders))

    @contextmanager
    def database(self, guard: bool = False) -> Iterator[Settings]:
        """Keep the database running for the block; `guard` is for commands that run for long (embedded.ensure)."""
        from core.database import embedded
        with embedded.ensure(self.settings, guard):
            yield self.settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code: 0 fine, 1 problems, 2 wrong usage."""
    signal.signal(signal.SIGTERM, _end)
    try:
        code = group.main(args=arguments, prog_name="server.py", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        return 1
    except TesseraError as error:
        click.echo(str(error), err=True)
        return 1
    except OSError as error:                         # a file or folder of the system that this user may not use
        click.echo(str(error), err=True)
        return 1
    except Exception as error:
        said = _database_error(error)
        if said is None:
            raise
        click.echo(f"the database does not answer: {said}", err=True)
        return 1


def _database_error(error: Exception) -> str | None:
    """What the database says by this error; None if it is none of the database. Imports nothing for it."""
    known = sys.modules.get("sqlalchemy.exc")
    return str(error.orig).strip() if known is not None and isinstance(error, known.OperationalError) else None


def _end(number: int, frame: FrameType | None) -> None:
    """A command told to stop still leaves the database as it should."""
    sys.exit(128 + number)
