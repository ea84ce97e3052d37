"""`lambent doctor`: what works here, what is missing, and the command that mends it. Renders a `Diagnosis`."""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lambent.cli.diagnosis import Diagnosis, diagnose
from lambent.cli.host import gibibytes
from lambent.cli.runtimes import runtimes_table
from lambent.cli.start import CONFIG, given, option
from lambent.config import load, table

_OPTIONS = (
    "data_dir",
    "image_sources",
    "isolation",
    "runtime_image",
    "runtime_paths",
    "uid_base",
    "uid_count",
)
"""The settings that change the answer."""
_SIGNS = {"yes": "  [green]✓[/]", "partly": "  [yellow]~[/]", "no": "  [red]✗[/]"}


def _doctor(as_json: bool, config: Path | None, **flags: Any) -> int:
    settings = load(given(flags), config=config)
    diagnosis = diagnose(settings)
    if as_json:
        click.echo(json.dumps(as_document(diagnosis), indent=2))
    else:
        render(diagnosis, Console(highlight=False))
    return 0 if diagnosis.healthy else 1


def as_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """What --json prints."""
    document = dataclasses.asdict(diagnosis)
    document["data"]["path"] = str(diagnosis.data.path)
    wants = [{"missing": missing, "mend": mend} for missing, mend in diagnosis.wants]
    return {"healthy": diagnosis.healthy, **document, "wants": wants}


def render(diagnosis: Diagnosis, console: Console) -> None:
    _render_host(diagnosis, console)
    _render_isolation(diagnosis, console)
    _render_microvms(diagnosis, console)
    _render_limits(diagnosis, console)
    console.rule("[bold]runtimes[/]", align="left")
    console.print(runtimes_table(tuple(row for row in diagnosis.runtimes if row.version is not None)))
    console.print("`lambent runtimes` has the commands that add others.\n", style="dim")
    _render_images(diagnosis, console)
    _render_data(diagnosis, console)
    _render_verdict(diagnosis, console)


def _render_host(diagnosis: Diagnosis, console: Console) -> None:
    host = diagnosis.host
    console.rule("[bold]host[/]", align="left")
    memory = f"{gibibytes(host.memory_bytes)}, {gibibytes(host.memory_available_bytes)} available"
    _grid(
        console,
        [
            ("system", f"{host.kernel} on {host.machine}, {host.distribution}"),
            ("cores", str(host.cores)),
            ("memory", memory),
        ],
    )


def _render_isolation(diagnosis: Diagnosis, console: Console) -> None:
    trial = diagnosis.trial
    console.rule("[bold]isolation[/]", align="left")
    if trial.refusal is None:
        console.print(f"[green]✓[/] {trial.isolation.backend}: a sandbox was made here. Each one has")
    else:
        console.print(f"[red]✗[/] {trial.isolation.backend}: no sandbox could be made: ", end="")
        console.print(trial.refusal, markup=False)
        console.print("With everything that it needs, each one would have")
    grid = Table.grid(padding=(0, 2))
    for guarantee in trial.isolation.guarantees:
        grid.add_row(_SIGNS[guarantee.holds], guarantee.aspect, escape(guarantee.says))
    console.print(grid)
    for missing in trial.isolation.missing:
        console.print(f"  [yellow]![/] {escape(missing)}")
    console.print()
    _grid(
        console, [(check.name, check.detail) for check in diagnosis.checks], [c.ok for c in diagnosis.checks]
    )


def _render_microvms(diagnosis: Diagnosis, console: Console) -> None:
    """Nothing depends on them yet."""
    found = diagnosis.microvms_missing or "one of a single instruction ran here"
    console.print(f"Virtual machines, for a backend that is to come: {found}.\n", style="dim", markup=False)


def _render_limits(diagnosis: Diagnosis, console: Console) -> None:
    console.rule("[bold]how many environments at a time[/]", align="left")
    _grid(console, [(limit.name, f"{limit.environments:>9,}  {limit.detail}") for limit in diagnosis.limits])
    tightest = diagnosis.limits[0]
    console.print(f"To raise the first: {tightest.mend}\n", style="dim", markup=False)


def _render_images(diagnosis: Diagnosis, console: Console) -> None:
    images = diagnosis.images
    console.rule("[bold]container images[/]", align="left")
    if images.skopeo is not None:
        elsewhere = (
            f"by {images.skopeo}, from {', '.join(images.sources) or 'nowhere: image_sources is empty'}"
        )
    else:
        elsewhere = "no skopeo here: apt-get install skopeo"
    run = diagnosis.trial.isolation.backend != "process"
    here = "they run; nothing is needed" if run else "refused: --isolation process has no root to give"
    rows = [("of ECR here", here, run), ("of elsewhere", elsewhere, images.skopeo is not None)]
    rows += [
        (
            f"for {row.identifier}",
            row.reason or f"{row.image}, as {row.version}",
            row.reason is None,
        )
        for row in diagnosis.runtimes
        if row.image is not None
    ]
    _grid(console, [row[:2] for row in rows], [row[2] for row in rows])


def _render_data(diagnosis: Diagnosis, console: Console) -> None:
    data = diagnosis.data
    console.rule("[bold]data directory[/]", align="left")
    server = (
        "no server uses it" if data.server_pid is None else f"in use by the server with pid {data.server_pid}"
    )
    _grid(console, [(str(data.path), f"{gibibytes(data.free_bytes)} free; {server}")], [data.problem is None])


def _render_verdict(diagnosis: Diagnosis, console: Console) -> None:
    if diagnosis.wants:
        console.rule("[bold]missing, and what mends it[/]", align="left")
        for missing, mend in diagnosis.wants:
            console.print(f"{missing}\n    {mend}", markup=False, soft_wrap=True)
        console.print()
    if diagnosis.healthy:
        console.print("[green]Functions can run here, isolated.[/]")
    else:
        console.print("[red]Functions cannot run here yet.[/]")


def _grid(console: Console, rows: Iterable[tuple[str, str]], marks: Iterable[bool] = ()) -> None:
    """With `marks`, one for each row, a column that shows them."""
    grid = Table.grid(padding=(0, 2))
    signs = ["[green]✓[/]" if ok else "[red]✗[/]" for ok in marks]
    for index, (name, detail) in enumerate(rows):
        grid.add_row(*signs[index : index + 1], escape(name), escape(detail))
    console.print(grid)
    console.print()


doctor = click.Command(
    "doctor",
    params=[
        click.Option(["--json", "as_json"], is_flag=True, help="Print everything as JSON."),
        CONFIG,
        *(option(setting) for setting in table() if setting.name in _OPTIONS),
    ],
    callback=_doctor,
    help="Say what works on this host for a server with these settings, what is missing, and what mends it. Ends with "
    "status 0 where functions can run isolated, with 1 where they cannot.",
)
