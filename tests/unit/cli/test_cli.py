"""The command line: what it starts, and how it refuses."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import click
import pytest

from lambent import __version__
from lambent.cli import SUBCOMMANDS, run
from lambent.config import Settings, table


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings that the server was started with."""
    settings: list[Settings] = []
    server = ModuleType("lambent.server")
    server.StartError = type("StartError", (Exception,), {})
    server.run = settings.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lambent.server", server)
    for row in table():
        monkeypatch.delenv(row.variable, raising=False)
    return settings


def test_start_takes_every_setting_as_a_flag(started: list[Settings], tmp_path: Path) -> None:
    arguments = [
        "start",
        "--data-dir",
        str(tmp_path),
        "--port",
        "0",
        "--dev",
        "--freeze-after-seconds",
        "0.5",
    ]
    assert run(arguments) == 0
    (settings,) = started
    assert settings == Settings(data_dir=tmp_path, port=0, dev=True, freeze_after_seconds=0.5)
    options = {name for option in import_module("lambent.cli.start").start.params for name in option.opts}
    assert options == {"--config", *(row.flag for row in table())}


def test_start_reads_variables_and_files(
    started: list[Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "my.toml"
    file.write_text("log_format = 'json'\nport = 1\ndev = true\n")
    monkeypatch.setenv("LAMBENT_PORT", "2")
    assert run(["start", "--config", str(file), "--no-dev", "--data-dir", str(tmp_path)]) == 0
    assert started == [Settings(data_dir=tmp_path, port=2, log_format="json")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["start", "--port", "x"], "lambent: --port must be a whole number from 0 to 65535, not 'x'\n"),
        (["start", "--prot", "1"], "lambent: No such option"),
        (["start", "extra"], "lambent: Got unexpected extra argument (extra)\n"),
        (["begin"], "lambent: No such command 'begin'."),
        (
            ["start", "--config", "/no/such.toml"],
            "lambent: cannot read /no/such.toml: No such file or directory\n",
        ),
    ],
)
def test_a_refusal_is_one_line_and_status_2(
    arguments: list[str], said: str, started: list[Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert started == []
    error = capsys.readouterr().err
    assert error.startswith(said)
    assert error.count("\n") == 1


def test_version_and_help(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"lambent {__version__}\n"
    monkeypatch.delitem(sys.modules, "lambent.cli.demo", raising=False)
    for arguments in ([], ["--help"]):
        assert run(arguments) == 0
        out = capsys.readouterr().out
        assert all(name in out and subcommand.summary in out for name, subcommand in SUBCOMMANDS.items())
    assert "lambent.cli.demo" not in sys.modules
    assert run(["start", "--help"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert all(row.flag in out for row in table())
    assert "--dev / --no-dev" in out


def test_every_subcommand_exists() -> None:
    for name, subcommand in SUBCOMMANDS.items():
        assert isinstance(getattr(import_module(subcommand.module), name), click.Command)
