"""Writes docs/reference/operations.md from the tables of operations and from differences.toml."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import botocore.loaders

from lambent.model.service import Service
from lambent.server.parts import PARTS
from lambent.services import iam, lambda_, logs, sts

REFERENCE = Path(__file__).parent.parent / "docs/reference"
PAGE = REFERENCE / "operations.md"
DIFFERENCES = REFERENCE / "differences.toml"

_HEAD = f"""<!-- Made by scripts/operations_page.py from the tables in src/lambent/services/ and differences.toml,
     with the models of botocore {botocore.__version__}. -->
# Operations

What unmodified AWS clients can ask for. An operation that is not offered is answered with AWS's error for an unknown
operation, and named in it; nothing is accepted and then ignored.
"""


def services() -> list[Service]:
    """Those that a server offers, upon stores that are not there: only their tables are read."""
    nothing = MagicMock()
    control = lambda_.service(
        functions=nothing,
        function_policies=nothing,
        function_urls=nothing,
        layers=nothing,
        concurrency=nothing,
        event_invoke_configs=nothing,
        artifacts=nothing,
        images=nothing,
        compiler=nothing,
        take_snapshot=nothing,
        runtimes=nothing,
        roles=nothing,
        role_callers=nothing,
        policies=nothing,
        authorizer=nothing,
        invoker=nothing,
        allotments=nothing,
        client=nothing,
        code_signing_configs=nothing,
        mappings=nothing,
        mapping_changed=nothing,
        metrics=nothing,
        signatures=nothing,
        durable_executions=nothing,
        durable_execution_store=nothing,
        clock=nothing,
        download_secret=b"",
    )
    return [
        control.service,
        logs.service(*[nothing] * 11),
        iam.service(*[nothing] * 7),
        sts.service(*[nothing] * 6),
        *(make(nothing).service for make in PARTS),
    ]


def differences() -> Mapping[str, Mapping[str, Sequence[str]]]:
    return tomllib.loads(DIFFERENCES.read_text(encoding="utf-8"))


def model(service: str) -> Mapping[str, Any]:
    """botocore's model of the service."""
    loaded: Mapping[str, Any] = botocore.loaders.Loader().load_service_model(service, "service-2")
    return loaded


def page() -> str:
    known = differences()
    return "\n".join([_HEAD, *(_section(service, known.get(service.name, {})) for service in services())])


def _section(service: Service, known: Mapping[str, Sequence[str]]) -> str:
    described = model(service.name)
    every = sorted(described["operations"])
    rows = [f"| {name} | {' '.join(known.get(name, ()))} |" for name in every if name in service.operations]
    missing = [name for name in every if name not in service.operations]
    general = "".join(f"- {sentence}\n" for sentence in known.get("*", ()))
    return f"""## {service.name}
{described["metadata"]["serviceFullName"]}: {len(rows)} of {len(every)} operations.
{general}
| offered | otherwise than AWS |
|---|---|
{chr(10).join(rows)}

Not offered: {", ".join(missing) or "none"}.
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
