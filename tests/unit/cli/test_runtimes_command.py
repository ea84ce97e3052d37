"""`lambent runtimes`: what is here, and how to add the rest."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from lambent.cli import run
from lambent.cli import runtimes as runtimes_module
from lambent.cli.runtimes import list_runtimes
from lambent.runtimes.base_images import BaseImages
from lambent.runtimes.identifiers import Unavailable


@dataclass
class FakeInstall:
    version: str
    interpreter: Path | None


class FakeRegistry:
    def __init__(self, *_: object, **__: object) -> None:
        self._installs = {
            "python3.11": FakeInstall("3.11.2", Path("/usr/bin/python3.11")),
            "java17": FakeInstall("17.0.1", Path("/usr/bin/java")),
            "provided.al2": FakeInstall("", None),
        }
        self.images = BaseImages({"provided.al2": "oci:/images/al2"})

    def all_identifiers(self) -> Sequence[str]:
        return ("python3.11", "python3.13", "ruby3.3", "java17", "dotnet8", "provided.al2")

    def get(self, identifier: str) -> FakeInstall | None:
        return self._installs.get(identifier)

    def unavailable(self, identifier: str) -> Unavailable | None:
        if identifier == "python3.13":
            return Unavailable(reason="no CPython 3.13 was found", command="uv python install 3.13")
        if identifier == "dotnet8":
            return Unavailable(reason="no bootstrap", flag="--runtime-image dotnet8=x/dotnet:8")
        return Unavailable(reason="no bootstrap for ruby3.3 yet") if identifier == "ruby3.3" else None

    def slow_start(self, identifier: str) -> Unavailable | None:
        return Unavailable(reason="no javac", command="get one") if identifier.startswith("java") else None


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes_module, "RuntimeRegistry", FakeRegistry)


def test_rows_say_where_from_or_why_not() -> None:
    python, missing, ruby, java, dotnet, custom = list_runtimes(FakeRegistry(), date(2027, 3, 1))  # type: ignore[arg-type]
    assert (python.version, python.interpreter, python.closed) == ("3.11.2", "/usr/bin/python3.11", False)
    assert (missing.version, missing.command) == (None, "uv python install 3.13")
    assert (ruby.version, ruby.command, ruby.managed) == (None, None, True)
    assert (java.slow, java.mend) == ("no javac", "get one")
    assert (dotnet.command, dotnet.flag) == (None, "--runtime-image dotnet8=x/dotnet:8")
    assert (custom.managed, custom.interpreter, custom.image) == (False, None, "oci:/images/al2")
    assert custom.closed


def test_closed_is_a_matter_of_the_day() -> None:
    custom = list_runtimes(FakeRegistry(), date(2027, 1, 31))[-1]  # type: ignore[arg-type]
    assert not custom.closed
    assert custom.closes == "2027-02-01"


def test_prints_what_is_here_and_the_commands_for_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runtimes"]) == 0
    here, _, rest = capsys.readouterr().out.partition("not here")
    assert "python3.11" in here
    assert "python3.13" not in here
    assert "  python3.13   uv python install 3.13\n" in rest
    assert "  dotnet8      lambent start --runtime-image dotnet8=x/dotnet:8\n" in rest
    assert "ruby3.3:\n  no bootstrap for these yet" in rest
    assert "oci:/images/al2" in here
    assert "java17 starts slower than it could: no javac\n    get one\n" in here


def test_json_has_every_runtime(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runtimes", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["identifier"] for row in rows] == list(FakeRegistry().all_identifiers())
    assert rows[1]["reason"] == "no CPython 3.13 was found"
