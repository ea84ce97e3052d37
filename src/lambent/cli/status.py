"""`lambent status`: which nodes serve, what each does and what waits to be done, as the server of this host sees it."""

import json
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from lambent.cli.env import running
from lambent.cli.start import CONFIG, option
from lambent.config import load, table

_PATH = "/_lambent/status"
_SECONDS = 10.0
_LATE_SECONDS = 1.0
"""What is due for less is just being begun."""
_PIPED_WIDTH = 1000
_HEADINGS = ("node", "state", "roles", "zone", "address", "up", "environments", "leases", "version")


def _status(as_json: bool, config: Path | None, **flags: Any) -> int:
    settings = load({name: value for name, value in flags.items() if value is not None}, config=config)
    found = _ask(running(settings.data_dir).endpoint)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        # What is piped is read by programs: a line stays a line.
        render(found, Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH))
    return 0 if found["member"] and found["database"] == "ok" else 1


def _ask(endpoint: str) -> Mapping[str, Any]:
    try:
        with urllib.request.urlopen(endpoint + _PATH, timeout=_SECONDS) as response:  # noqa: S310 - ours
            answer: Mapping[str, Any] = json.load(response)
            return answer
    except OSError as error:
        raise click.ClickException(f"the server at {endpoint} does not answer: {error}") from None


def render(found: Mapping[str, Any], console: Console) -> None:
    if found["database"] != "ok":
        console.print(f"the database is away: {found['database']}", style="bold red", markup=False)
        console.print("warm invocations go on; all else is refused until it is back\n")
        console.print(f"{found['node']}: environments {_counts(found['environments'])}", markup=False)
        return
    _print_nodes(list(_nodes(found)), console)
    console.print(_schema(found["schema"]), markup=False)
    leases = Table("held by one node", "node", "token", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in sorted(_leases(found)):
        leases.add_row(*row)
    console.print(leases)
    if found.get("limits"):
        console.print(_limits(found))
    queues = Table("waits", "", "late", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, depth in found["queues"].items():
        late = found.get("late_seconds", {}).get(name, 0)
        queues.add_row(name, f"{depth:,}", _duration(late) if late >= _LATE_SECONDS else "")
    console.print(queues)


def _nodes(found: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    """A row of what `_HEADINGS` says for each node."""
    for node in found["nodes"]:
        yield (
            ("* " if node["id"] == found["node"] else "  ") + node["id"],
            "alive" if node["alive"] else f"[red]silent for {-node['expires_in_seconds']:.0f} s[/]",
            " ".join(node["roles"]),
            escape(node["zone"]),
            escape(node["address"]) or "-",
            _duration(node.get("uptime_seconds", node["joined_seconds_ago"])),
            _counts(node.get("environments", {})),
            str(len(node["leases"])),
            node["version"],
        )


def _print_nodes(rows: Sequence[Sequence[str]], console: Console) -> None:
    """As a table, or where its rows would have to be folded, as a paragraph for each node."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    wanted = console.measure(table, options=console.options.update_width(_PIPED_WIDTH)).maximum
    if wanted <= console.width:
        console.print(table)
        return
    console.print()
    for name, state, *rest in rows:
        console.print(f"{name}  {state}")
        told = ", ".join(f"{heading} {value}" for heading, value in zip(_HEADINGS[2:], rest, strict=True))
        console.print(Padding(told, (0, 0, 1, 4)))


def _schema(schema: Mapping[str, Any]) -> str:
    if schema["pending"]:
        waiting = ", ".join(schema["pending"])
        return f"schema {schema['number']}; until every node knows them, these migrations wait: {waiting}\n"
    if schema["number"] > schema["known"]:
        return f"schema {schema['number']}, made by a newer Lambent: this one knows {schema['known']}\n"
    return f"schema {schema['number']}\n"


def _leases(found: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for node in found["nodes"]:
        for name, token in node["leases"].items():
            yield name, node["id"], str(token)


def _limits(found: Mapping[str, Any]) -> Table:
    """Of each limit that nodes share, what runs on each of its part."""
    running = {node["id"]: node.get("running", {}) for node in found["nodes"]}
    table = Table("limit", *running, box=box.SIMPLE_HEAD, pad_edge=False)
    for name, parts in sorted(found["limits"].items()):
        table.add_row(
            name,
            *(f"{uses.get(name, 0)} of {parts[id]}" if id in parts else "-" for id, uses in running.items()),
        )
    return table


def _counts(environments: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in environments.items() if count) or "none"


def _duration(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


status = click.Command(
    "status",
    params=[
        click.Option(["--json", "as_json"], is_flag=True, help="Print everything as JSON."),
        CONFIG,
        *(option(setting) for setting in table() if setting.name == "data_dir"),
    ],
    callback=_status,
    help="Say which nodes serve, what each does, and what waits to be done. Asks the server of this host; exit "
    "status 1 where it is no member of the cluster or has no database.",
)
