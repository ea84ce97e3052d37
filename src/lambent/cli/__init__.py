"""The `lambent` command. Each subcommand is a module of its own, imported when it is asked for.

Failures are one line that says what to do, and exit status 2 where the command line or a setting is at fault.
"""

import sys
from dataclasses import dataclass
from importlib import import_module

import click

from lambent import __version__
from lambent.config import SettingsError


@dataclass(frozen=True, slots=True)
class Subcommand:
    """`module` has a click command of the subcommand's name. The summary is here so that help imports nothing."""

    module: str
    summary: str


SUBCOMMANDS = {
    "start": Subcommand("lambent.cli.start", "Run the server until it is told to end."),
    "env": Subcommand("lambent.cli.env", "Print what the AWS CLI and SDKs need to reach the running server."),
    "demo": Subcommand("lambent.cli.demo", "Start a server, deploy example functions, invoke them."),
    "doctor": Subcommand(
        "lambent.cli.doctor", "Say what works on this host, what is missing, and what mends it."
    ),
    "status": Subcommand(
        "lambent.cli.status", "Say which nodes serve, what each does, and what waits to be done."
    ),
    "runtimes": Subcommand("lambent.cli.runtimes", "List the runtimes that functions can use on this host."),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        command = getattr(import_module(SUBCOMMANDS[cmd_name].module), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, subcommand.summary) for name, subcommand in SUBCOMMANDS.items()])


@click.group(cls=_LazyGroup, invoke_without_command=True)
@click.version_option(__version__, prog_name="lambent", message="%(prog)s %(version)s")
@click.pass_context
def lambent(context: click.Context) -> None:
    """AWS Lambda on your own machines."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> None:
    """The console script. Exits with 0, 1 (the command failed), 2 (it was asked wrongly) or 130 (interrupted)."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    try:
        status = lambent.main(arguments, prog_name="lambent", standalone_mode=False)
    except SettingsError as error:
        return _failed(str(error), 2)
    except click.ClickException as error:
        return _failed(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return 130
    return status if isinstance(status, int) else 0


def _failed(message: str, status: int) -> int:
    click.echo(f"lambent: {message}", err=True)
    return status
