"""What is offered, what is written, and what is documented are the same operations."""

import ast
import inspect
import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore
import pytest

if TYPE_CHECKING:
    from tests.architecture.conftest import Module

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "src/lambent/services"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts/operations_page.py"))


def test_the_page_is_what_the_tables_say(script: dict[str, Any]) -> None:
    """Word for word with the botocore that it was made with; another one may know other operations that we lack."""
    written, current = script["PAGE"].read_text(encoding="utf-8"), script["page"]()
    if f"of botocore {botocore.__version__}." not in written:
        written, current = _without_what_is_missing(written), _without_what_is_missing(current)
    assert written == current, "run scripts/operations_page.py"


def _without_what_is_missing(page: str) -> str:
    page = re.sub(r"models of botocore \S+", "", page)
    page = re.sub(r"(\d+) of \d+ operations", r"\1 operations", page)
    return re.sub(r"^Not offered: .*$", "", page, flags=re.M)


def test_only_operations_of_the_models_are_offered(script: dict[str, Any]) -> None:
    for service in script["services"]():
        assert service.operations.keys() <= script["model"](service.name)["operations"].keys()


def test_differences_are_of_operations_that_are_offered(script: dict[str, Any]) -> None:
    offered = {service.name: service.operations.keys() for service in script["services"]()}
    for name, known in script["differences"]().items():
        assert known.keys() - {"*"} <= offered[name], name


def test_every_refused_setting_is_documented(script: dict[str, Any]) -> None:
    from lambent.services.lambda_ import unsupported

    said = " ".join(script["differences"]()["lambda"]["*"])
    assert [name for name in unsupported._NEUTRAL if f"`{name}`" not in said] == []


def test_every_operation_function_is_in_a_table(modules: "list[Module]", script: dict[str, Any]) -> None:
    offered = set()
    for service in script["services"]():
        for operation in service.operations.values():
            function = inspect.unwrap(operation)
            if not inspect.isfunction(function) and not inspect.ismethod(function):
                function = type(function).__call__
            offered.add((function.__module__, function.__qualname__))
    written = {
        (".".join(module.path.relative_to(ROOT / "src").with_suffix("").parts), name)
        for module in modules
        if module.path.is_relative_to(SERVICES)
        for name in _operation_functions(module.tree)
    }
    assert len(written) > 80
    assert written - offered == set()


def _operation_functions(tree: ast.Module) -> list[str]:
    """Qualified names of public `async def name([self,] caller: Caller, parameters: Parameters)`."""
    found = []
    owners: list[tuple[str, ast.AST]] = [("", tree)]
    owners += [(f"{node.name}.", node) for node in tree.body if isinstance(node, ast.ClassDef)]
    for prefix, owner in owners:
        for node in getattr(owner, "body", []):
            if isinstance(node, ast.AsyncFunctionDef) and (
                not node.name.startswith("_") or node.name == "__call__"
            ):
                arguments = [argument.arg for argument in node.args.args if argument.arg != "self"]
                if arguments == ["caller", "parameters"] and not node.args.kwonlyargs:
                    found.append(prefix + node.name)
    return found
