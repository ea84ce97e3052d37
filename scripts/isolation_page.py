"""Writes docs/reference/isolation.md from the tables in lambent.sandbox.guarantees."""

from pathlib import Path

from lambent.sandbox.guarantees import ALL, ASPECTS, ONE_USER, WITHOUT_CGROUPS, WITHOUT_CPU, Guarantee

PAGE = Path(__file__).parent.parent / "docs/reference/isolation.md"

_HEAD = """<!-- Made by scripts/isolation_page.py: change src/lambent/sandbox/guarantees.py instead. -->
# What isolation guarantees

The setting `isolation` chooses what keeps functions apart: `namespaces` (the server runs as root), `userns` (it runs
as any other user), `process` (no isolation, for one's own code). `auto`, which is the default, takes the strongest
there is, and never `process`. [Isolation](../concepts/isolation.md) says when to choose which; `lambent doctor` says
what holds on a host.
"""
_SIGNS = {"yes": "yes", "partly": "partly", "no": "**no**"}


def page() -> str:
    return "\n".join([_HEAD, _overview(), *(_section(name) for name in ALL)])


def _overview() -> str:
    names = list(ALL)
    rows = [f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for aspect, says in ASPECTS.items():
        held = [_SIGNS[_of(name, aspect).holds] for name in names]
        rows.append(f"| {aspect}: {says} | {' | '.join(held)} |")
    return "\n".join(rows) + "\n"


def _section(name: str) -> str:
    lines = [f"## {name}"]
    lines += [_line(guarantee) for guarantee in ALL[name]]
    if name == "userns":
        lines += ["", "Where no control groups are delegated to the user:", ""]
        lines += [_line(guarantee) for guarantee in WITHOUT_CGROUPS]
        lines += ["", "Where they are, but not for CPU:", "", *map(_line, WITHOUT_CPU)]
        lines += [
            "",
            "Where the user has no range of ids in `/etc/subuid` and `/etc/subgid`, or newuidmap is missing:",
            "",
        ]
        lines += [_line(guarantee) for guarantee in ONE_USER]
    return "\n".join(lines) + "\n"


def _line(guarantee: Guarantee) -> str:
    return f"- {guarantee.aspect} ({_SIGNS[guarantee.holds]}): {guarantee.says}"


def _of(name: str, aspect: str) -> Guarantee:
    return next(guarantee for guarantee in ALL[name] if guarantee.aspect == aspect)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
