"""`lambent runtimes`: which runtimes functions can use here, and the command that adds each of the others."""

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from lambent.cli.start import CONFIG, given, option
from lambent.config import Settings, load, search_path, table
from lambent.runtimes import deprecation, identifiers
from lambent.runtimes.registry import RuntimeRegistry
from lambent.server.runtime_images import find_runtime_images

_OPTIONS = ("data_dir", "runtime_image", "runtime_paths")
"""The settings that change the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeRow:
    """`version` is the interpreter's, "" for a custom runtime, and None where the runtime cannot be used here for
    `reason`; then `command` adds it, or `flag` of `lambent start`. `image` is what it is taken from, if from one.
    `slow` is why it starts slower than it could, and `mend` what helps. `closed` says that AWS refuses new functions
    with it, and `closes`, a day, from when on."""

    identifier: str
    managed: bool
    version: str | None
    interpreter: str | None
    reason: str | None
    command: str | None
    closed: bool
    closes: str | None = None
    flag: str | None = None
    image: str | None = None
    slow: str | None = None
    mend: str | None = None


def make_registry(settings: Settings) -> RuntimeRegistry:
    """As the server looks for interpreters, with the images that it has fetched."""
    return RuntimeRegistry(
        search_path=search_path(),
        home=Path.home(),
        preferred=settings.runtime_paths,
        images=find_runtime_images(settings),
    )


def list_runtimes(registry: RuntimeRegistry, today: date | None = None) -> tuple[RuntimeRow, ...]:
    """Every runtime that AWS's service model names, in its order."""
    today = today or datetime.now(UTC).date()
    return tuple(_row(registry, identifier, today) for identifier in registry.all_identifiers())


def _row(registry: RuntimeRegistry, identifier: str, today: date) -> RuntimeRow:
    install, missing = registry.get(identifier), registry.unavailable(identifier)
    slow = registry.slow_start(identifier)
    announced = deprecation.DEPRECATIONS.get(identifier)
    return RuntimeRow(
        identifier=identifier,
        managed=not identifiers.is_custom(identifier),
        version=None if install is None else install.version,
        interpreter=None if install is None or install.interpreter is None else str(install.interpreter),
        reason=None if missing is None else missing.reason,
        command=None if missing is None else missing.command,
        closed=deprecation.refusal(identifier, today, creating=True) is not None,
        closes=None if announced is None else announced.block_create.isoformat(),
        flag=None if missing is None else missing.flag,
        image=registry.images.sources.get(identifier),
        slow=None if slow is None else slow.reason,
        mend=None if slow is None else slow.command,
    )


def runtimes_table(rows: tuple[RuntimeRow, ...]) -> Table:
    rendered = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("runtime", "version", "from", "AWS"):
        rendered.add_column(heading, overflow="fold")
    for row in rows:
        where = row.interpreter or row.image or "the function's own bootstrap"
        rendered.add_row(row.identifier, row.version, where, _at_aws(row))
    return rendered


def _at_aws(row: RuntimeRow) -> str:
    if row.closed:
        return "closed"
    return f"until {row.closes}" if row.closes is not None else ""


def _print(console: Console, rows: tuple[RuntimeRow, ...]) -> None:
    console.print(runtimes_table(tuple(row for row in rows if row.version is not None)))
    for reason, mend, names in slow_starts(rows):
        console.print(
            f"{names} starts slower than it could: {reason}\n    {mend}\n", markup=False, soft_wrap=True
        )
    console.print("not here, and what adds them:")
    for row in rows:
        command = row.command or (row.flag and f"lambent start {row.flag}")
        if row.version is None and command:
            console.print(f"  {row.identifier:<12} {command}", markup=False, soft_wrap=True)
    console.print(
        "\nEach can be taken from AWS's base image instead, such as: lambent start "
        "--runtime-image python3.13=public.ecr.aws/lambda/python:3.13",
        markup=False,
        soft_wrap=True,
    )
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.reason is not None and row.command is None and row.flag is None:
            reasons.setdefault(row.reason.replace(row.identifier, "these"), []).append(row.identifier)
    for why, concerned in reasons.items():
        console.print(f"\n{', '.join(concerned)}:\n  {why}", style="dim", markup=False)


def slow_starts(rows: Iterable[RuntimeRow]) -> list[tuple[str, str, str]]:
    """(why, what mends it, the runtimes that are concerned)."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.slow is not None:
            found.setdefault((row.slow, row.mend or "nothing that Lambent knows of"), []).append(
                row.identifier
            )
    return [(reason, mend, ", ".join(names)) for (reason, mend), names in found.items()]


def _runtimes(as_json: bool, config: Path | None, **flags: Any) -> None:
    settings = load(given(flags), config=config)
    rows = list_runtimes(make_registry(settings))
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))
    else:
        _print(Console(highlight=False), rows)


runtimes = click.Command(
    "runtimes",
    params=[
        click.Option(["--json", "as_json"], is_flag=True, help="Print everything as JSON."),
        CONFIG,
        *(option(setting) for setting in table() if setting.name in _OPTIONS),
    ],
    callback=_runtimes,
    help="List the runtimes that functions can use on this host, and the commands that add the others.",
)
