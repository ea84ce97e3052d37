"""What the documents name is there: files, headings, commands, flags, variables, operations."""

import re
import runpy
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import botocore.loaders
import click
import pytest
from botocore import xform_name

from lambent.cli import SUBCOMMANDS
from lambent.config import CONFIG_VARIABLE, load, table

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_PATH = re.compile(r"(?<![\w/.-])((?:docs|src|scripts|tests|benchmarks)/[\w./-]*\w)")
_CODE = re.compile(r"```(?:sh|console|bash)?\n(.*?)```|`([^`\n]+)`", re.S)
_AWS_FLAGS = re.compile(r"\baws (lambda|logs|iam|sts|events|scheduler) ([a-z][a-z0-9-]+)")
_CLIENT_ONLY = {("logs", "tail"), ("lambda", "wait")}
"""Commands of the AWS CLI that are no operations."""


@pytest.fixture(params=DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def document(request: pytest.FixtureRequest) -> Path:
    path = request.param
    assert isinstance(path, Path)
    return path


def test_links_lead_somewhere(document: Path) -> None:
    for target in _LINK.findall(_prose(document.read_text(encoding="utf-8"))):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        assert file.exists(), f"{document.name} links to {target}"
        if anchor:
            assert anchor in _anchors(file), f"{document.name} links to {target}"


def test_every_page_can_be_found() -> None:
    """From docs/README.md."""
    index = ROOT / "docs/README.md"
    linked = {
        (index.parent / target).resolve() for target in _LINK.findall(index.read_text(encoding="utf-8"))
    }
    assert [str(path) for path in (ROOT / "docs").rglob("*.md") if path not in linked and path != index] == []


def test_paths_exist(document: Path) -> None:
    for name in _PATH.findall(document.read_text(encoding="utf-8")):
        assert (ROOT / name).exists() or document.name == "CHANGELOG.md", f"{document.name} names {name}"


def test_commands_exist(document: Path) -> None:
    usage = subprocess.run(["./dev"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for code in _code(document):
        for command in re.findall(r"(?:^|\s|\$ )\./dev ([a-z]+)", code):
            assert re.search(rf"^  {command}\b", usage, re.M), f"{document.name}: ./dev {command}"
        for command, arguments in re.findall(r"(?:^|[\s/])lambent ([a-z]+)\b([^\n|`]*)", code):
            assert command in SUBCOMMANDS, f"{document.name}: lambent {command}"
            _require_flags(document, command, arguments)


def test_variables_are_settings(document: Path) -> None:
    known = {setting.variable for setting in table()} | {CONFIG_VARIABLE}
    used = set(re.findall(r"\bLAMBENT_[A-Z_]*[A-Z]\b", document.read_text(encoding="utf-8")))
    assert used <= known


def test_files_of_settings_can_be_read(document: Path, tmp_path: Path) -> None:
    file = tmp_path / "lambent.toml"
    for block in re.findall(r"```toml\n(.*?)```", document.read_text(encoding="utf-8"), re.S):
        file.write_text(block, encoding="utf-8")
        load({}, config=file, environ={})


def test_aws_commands_are_offered(document: Path) -> None:
    offered = _offered()
    for code in _code(document):
        for service, command in _AWS_FLAGS.findall(code):
            assert (service, command) in _CLIENT_ONLY or command in offered[service], (
                f"aws {service} {command}"
            )


def test_the_usage_of_dev_is_what_it_does() -> None:
    script = (ROOT / "dev").read_text(encoding="utf-8")
    told = set(re.findall(r"^  ([a-z]+) ", script.partition("TEXT'")[2].partition("\nTEXT")[0], re.M))
    done = set(re.findall(r"^([a-z]+)\)$", script, re.M))
    assert told == done


def test_every_subcommand_says_what_it_does() -> None:
    for name, subcommand in SUBCOMMANDS.items():
        command = getattr(import_module(subcommand.module), name)
        assert isinstance(command, click.Command)
        assert command.help
        assert subcommand.summary.endswith(".")


def test_every_setting_is_documented_and_described() -> None:
    script = runpy.run_path(str(ROOT / "scripts/settings_page.py"))
    page = script["PAGE"].read_text(encoding="utf-8")
    assert page == script["page"](), "run scripts/settings_page.py"
    assert [row.name for row in table() if f"## {row.name}\n{row.description}\n" not in page] == []


def test_every_setting_is_used() -> None:
    """A setting that is stored and ignored breaks its user later and elsewhere."""
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "src/lambent").rglob("*.py")
        if path.parent.name not in ("config", "cli")
    )
    assert [row.name for row in table() if not re.search(rf"\bsettings\.{row.name}\b", text)] == []


def test_the_change_log_is_begun() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased = text.partition("\n## Unreleased\n")[2].partition("\n## ")[0]
    assert re.search(r"^- ", unreleased, re.M)


def _require_flags(document: Path, command: str, arguments: str) -> None:
    known = {
        name
        for option in getattr(import_module(SUBCOMMANDS[command].module), command).params
        for name in [*option.opts, *option.secondary_opts]
    } | {"--help"}
    for flag in re.findall(r"(?<=\s)--[a-z][a-z-]+", arguments):
        assert flag in known, f"{document.name}: lambent {command} {flag}"


def _offered() -> dict[str, set[str]]:
    services = runpy.run_path(str(ROOT / "scripts/operations_page.py"))["services"]()
    return {
        service.name: {xform_name(operation, "-") for operation in service.operations} for service in services
    }


def _code(document: Path) -> Iterator[str]:
    for block, span in _CODE.findall(document.read_text(encoding="utf-8")):
        yield block or span


def _prose(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.S)


def _anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _prose(file.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_models_are_there() -> None:
    """The names above are compared with nothing if botocore has no such service."""
    available = botocore.loaders.Loader().list_available_services("service-2")
    assert set(_offered()) <= set(available)
