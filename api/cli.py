"""`tenprint`: the command line. A command is loaded when it is called, so that each starts quickly."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from typing import Any, NoReturn, cast

import typer
from typer.core import TyperCommand, TyperGroup

from api.exit_codes import CANNOT_WORK, DONE, INPUT_REFUSED, INTERRUPTED, USAGE
from api.version import VERSION
from matcher.errors import FingerprintError

#: Command → (module, what it does), in the order a newcomer needs them.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("api.demo", "Show everything: make people, enrol them, find one again, then keep serving."),
    "serve": ("api.cli_serve", "Start the HTTP service."),
    "keys": ("api.cli_keys", "Make, list and revoke API keys."),
    "enroll": ("api.cli_enroll", "Enrol image files and folders."),
    "identify": ("api.cli_identify", "Search prints against everybody (1:N)."),
    "verify": ("api.cli_verify", "Compare two image files (1:1); needs no store."),
    "extract": ("api.cli_extract", "Show the minutiae and the quality of one image; needs no store."),
    "quality": ("api.cli_quality", "Judge one image: NFIQ 2, defects, advice for the operator."),
    "links": ("api.cli_links", "List suggested links and where they stand."),
    "decide": ("api.cli_decide", "Record or withdraw an examiner's decision on a link."),
    "export": ("api.cli_export", "Write the waiting encounters for another system."),
    "population": ("api.cli_population", "Make synthetic people: images or templates."),
    "benchmark": ("api.cli_benchmark", "Measure accuracy and speed."),
    "backup": ("api.cli_backup", "Copy the store while it works."),
    "restore": ("api.cli_restore", "Make a store of a backup again, and examine it."),
    "retention": ("api.cli_retention", "Erase what may no longer be kept; legal holds."),
    "audit": ("api.cli_audit", "Verify the audit log, and prove single entries of it."),
    "encryption": ("api.cli_encryption", "Show and rotate the keys that keep prints closed at rest."),
    "doctor": ("api.cli_doctor", "Check installation, settings and store."),
}

_HELP = f"""Open fingerprint identification: images in, the person found again, examiners decide.

Try:
    tenprint demo                             the whole job, with synthetic people
    tenprint enroll prints/ --ppi 500         files named PERSON_anything.png
    tenprint identify probe.png --ppi 500     who is it?
    tenprint verify a.png b.png --ppi 500     the same finger?
    tenprint keys create --role desk          a key for the HTTP service
    tenprint serve                            then open http://127.0.0.1:8000/docs

Commands that use a store take --data DIR (default: tenprint-data, or TENPRINT_DATA).
`tenprint COMMAND --help` explains each.

Exit codes:
    {DONE:3}  done, whatever the answer
    {INPUT_REFUSED:3}  some input was refused; the rest is done
    {USAGE:3}  the command was called wrongly
    {CANNOT_WORK:3}  nothing could be done: store, settings, weights
    {INTERRUPTED:3}  interrupted; the same command carries on
"""


class LazyCommands(TyperGroup):
    """Knows every command by name and sentence; imports the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, in the order of `COMMANDS`."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | TyperGroup | None:
        """A command as the overview shows it; `resolve_command` gives the real one."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][1])

    def resolve_command(
        self, ctx: Any, args: list[str]
    ) -> tuple[str | None, TyperCommand | TyperGroup | None, list[str]]:
        """Load the module of the command that is called."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, (load(name) if name and command else None), rest


def load(name: str) -> TyperCommand | TyperGroup:
    """Import a command's module: it has an `app`, or a function of the command's name."""
    module = import_module(COMMANDS[name][0])
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer()
        app.command(name)(getattr(module, name))
    command = cast("TyperCommand | TyperGroup", typer.main.get_command(app))
    command.name = name
    for each in (command, *getattr(command, "commands", {}).values()):
        each.help = reflowed(each.help or "")
    return command


def reflowed(text: str) -> str:
    """Paragraphs as one line each, for the terminal to wrap; indented examples as they are."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(each if "\n " in each else each.replace("\n", " ") for each in paragraphs)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's calling convention
    if wanted:
        typer.echo(f"tenprint {VERSION}")
        raise typer.Exit


app = typer.Typer(
    cls=LazyCommands, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False
)


@app.callback(help=reflowed(_HELP))
def tenprint(
    *,
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and stop."
    ),
) -> None:
    """Options before the command."""
    del version


def _is_store_fault(fault: Exception) -> bool:
    """Whether disk or database failed; SQLAlchemy is asked only where a command has loaded it."""
    database = sys.modules.get("sqlalchemy.exc")
    return isinstance(fault, OSError) or (
        database is not None and isinstance(fault, database.OperationalError)
    )


def main() -> NoReturn:
    """Run the command line; a refusal is one line on stderr and an exit code, never a traceback."""
    try:
        app(prog_name="tenprint")
    except FingerprintError as refusal:
        typer.echo(f"tenprint: {refusal} [{refusal.code}]", err=True)
        sys.exit(CANNOT_WORK)
    except Exception as fault:
        if not _is_store_fault(fault):
            raise
        reason = str(fault).splitlines()[0]
        typer.echo(f"tenprint: the store or a file cannot be used: {reason}. Nothing was done.", err=True)
        sys.exit(CANNOT_WORK)
    except KeyboardInterrupt:
        typer.echo("tenprint: interrupted; call the same command again to carry on.", err=True)
        sys.exit(INTERRUPTED)
    sys.exit(DONE)


if __name__ == "__main__":
    main()
