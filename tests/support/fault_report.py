"""The report of a run with faults, to be read by people."""

from collections.abc import Mapping
from typing import Any

_COUNTS = (
    "accepted",
    "executed",
    "still queued",
    "refused or unanswered",
    "of those executed",
)


def markdown(document: Mapping[str, Any]) -> str:
    """Of `Report.as_document`."""
    lines = [
        "# Events under faults",
        "",
        f"{document['nodes']} nodes on {document['database']}, seed {document['seed']}, "
        f"{document['seconds']:.0f} s.",
        "",
        "| events | |",
        "|---|---:|",
        *(f"| {name} | {document[name]:,} |" for name in _COUNTS[:2]),
        *(
            f"| told as failures: {name} | {n:,} |"
            for name, n in sorted(document["told as failures"].items())
        ),
        f"| {_COUNTS[2]} | {document[_COUNTS[2]]:,} |",
        f"| **lost** | **{len(document['lost']):,}** |",
        *(f"| {name} | {document[name]:,} |" for name in _COUNTS[3:]),
    ]
    for title, counts in (
        ("what came twice", document["twice"]),
        ("errors of events that were not to fail", document["unexpected"]),
        ("refusals", document["refusals"]),
        ("faults", document["faults"]),
        ("injected below the nodes", document["injected"]),
    ):
        lines += ["", f"| {title} | |", "|---|---:|"]
        lines += [f"| {name} | {count:,} |" for name, count in sorted(counts.items())] or ["| none | 0 |"]
    if document["ways"]:
        lines += _of_ways(document["ways"])
    if document["calls"]:
        lines += _of_calls(document["calls"])
    if document["lost"]:
        lines += ["", f"Lost: {document['lost'][:100]}"]
    return "\n".join(lines) + "\n"


def _of_calls(calls: Mapping[str, Any]) -> list[str]:
    """Of `CallReport.as_document`."""
    lines = ["", "| synchronous calls | |", "|---|---:|"]
    lines += [f"| answered | {calls['answered']:,} |"]
    lines += [f"| {error} | {count:,} |" for error, count in sorted(calls["errors"].items())]
    lines += [f"| **answered, and ran twice** | **{len(calls['ran twice']):,}** |"]
    lines += [f"| lines of the log that came twice | {calls['noted twice']:,} |"]
    lines += [f"| **what should not be** | **{len(calls['wrong']):,}** |"]
    lines += ["", "| longest wait for an answer, s | |", "|---|---:|"]
    lines += [f"| {kind} | {seconds} |" for kind, seconds in sorted(calls["longest seconds"].items())]
    return [*lines, "", *(f"- {what}" for what in calls["wrong"][:50])]


_COLUMNS = ("offered", "acknowledged", "arrived", "twice", "received again")


def _of_ways(ways: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Of `WayReport.as_document`, by name."""
    lines = ["", f"| way | {' | '.join(_COLUMNS)} | **lost** | out of order | unsure (arrived) | wrong |"]
    lines += ["|---|" + "---:|" * (len(_COLUMNS) + 4)]
    for name, way in ways.items():
        order = str(len(way["out of order"])) if way["ordered"] else ""
        cells = [f"{way[column]:,}" for column in _COLUMNS]
        cells += [f"**{len(way['lost'])}**", order, f"{way['unsure']} ({way['of those arrived']})"]
        lines += [f"| {name} | {' | '.join(cells)} | {len(way['wrong'])} |"]
    lines += ["", "| refusals by way | |", "|---|---:|"]
    for name, way in ways.items():
        lines += [f"| {name}: {error} | {count:,} |" for error, count in sorted(way["refusals"].items())]
    for name, way in ways.items():
        for what in ("lost", "out of order", "wrong"):
            lines += ["", f"{name}, {what}: {way[what][:50]}"] if way[what] else []
    return lines
