"""`lambent start`: one flag for every setting, then the server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from lambent.config import CONFIG_VARIABLE, FILE_NAME, SYSTEM_FILE, Setting, load, table


def option(setting: Setting) -> click.Option:
    """Flags have no defaults and no types of their own: what is not given is left to the other sources, and values
    are read in one place."""
    declared = f"{setting.flag}/--no-{setting.name}" if setting.is_switch else setting.flag
    text = f"{setting.description} [{setting.variable}; default: {setting.default_says}]"
    return click.Option(
        [declared],
        default=None,
        help=text,
        metavar=None if setting.is_switch else "VALUE",
        multiple=setting.kind.repeatable,
    )


def given(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the flags that the user has set."""
    return {name: value for name, value in flags.items() if value not in (None, ())}


def _start(config: Path | None, **flags: Any) -> None:
    settings = load(given(flags), config=config)
    # Late, so that help and refusals do not wait for it.
    from lambent.server import StartError, run  # noqa: PLC0415

    try:
        run(settings)
    except StartError as error:
        raise click.ClickException(str(error)) from error


CONFIG = click.Option(
    ["--config"],
    type=click.Path(path_type=Path),
    help=f"TOML file of settings [{CONFIG_VARIABLE}; default: {FILE_NAME} in the data directory, else {SYSTEM_FILE}]",
)

start = click.Command(
    "start",
    params=[CONFIG, *map(option, table())],
    callback=_start,
    help="Run the server until it is told to end (SIGTERM, SIGINT). A flag goes before its LAMBENT_ variable, that "
    "before the configuration file, that before the default.",
)
