"""Rules of the source that no linter of ours knows: docstrings, names, state, SQL, the world outside."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.architecture.conftest import Module

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/lambent"

_NO_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"}
_SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE)\b",
    re.S,
)
_CHANGES = {
    "add",
    "append",
    "appendleft",
    "clear",
    "discard",
    "extend",
    "insert",
    "pop",
    "popleft",
    "remove",
} | {
    "setdefault",
    "update",
}


def test_imports_point_down() -> None:
    found = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout


def test_every_package_says_what_it_knows(modules: "list[Module]") -> None:
    packages = {module.path.parent: module for module in modules if module.path.name == "__init__.py"}
    silent = [
        str(path) for path, module in packages.items() if len(ast.get_docstring(module.tree) or "") < 40
    ]
    assert silent == []
    # A directory of modules without __init__.py would be a package that says nothing, and that import-linter overlooks.
    bare = {module.path.parent for module in modules} - packages.keys()
    assert {str(path.relative_to(SOURCE)) for path in bare if "examples" not in path.parts} == {
        "runtimes/python"
    }


def test_every_module_has_a_docstring(modules: "list[Module]") -> None:
    assert [module.name for module in modules if not ast.get_docstring(module.tree)] == []


def test_no_module_is_named_after_nothing(modules: "list[Module]") -> None:
    def words(module: "Module") -> set[str]:
        return {
            word for part in module.path.relative_to(SOURCE).with_suffix("").parts for word in part.split("_")
        }

    assert [module.name for module in modules if words(module) & _NO_NAMES] == []


def test_only_config_reads_the_environment(server_modules: "list[Module]") -> None:
    readers = {
        module.name
        for module in server_modules
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv", "putenv"))
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {a.name for a in node.names} & {"environ", "getenv"}
        )
    }
    assert readers == {"config/sources.py"}


def test_nothing_prints_but_the_command_line(server_modules: "list[Module]") -> None:
    assert [
        module.at(node)
        for module in server_modules
        if module.path.parent != SOURCE / "cli"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Name) and node.id == "print"
    ] == []


def test_modules_hold_no_mutable_state(server_modules: "list[Module]") -> None:
    """State has an owner, which is an instance."""
    found = [module.at(node) for module in server_modules for node in _module_state(module.tree)]
    assert found == []


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ("global known; known = {}", True),
        ("known['a'] = 1", True),
        ("del known['a']", True),
        ("known.update(a=1)", True),
        ("known.get('a')", False),
        ("known['a']", False),
        ("own = {}; own['a'] = 1", False),
    ],
)
def test_mutable_state_would_be_seen(change: str, seen: bool) -> None:
    assert bool([*_module_state(ast.parse(f"known = {{}}\ndef f():\n    {change}"))]) is seen


def test_sql_is_in_sql_files(server_modules: "list[Module]") -> None:
    """PRAGMA and BEGIN may stand beside the connection that they are about."""
    found = [
        module.at(node)
        for module in server_modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL.search(node.value)
    ]
    assert found == []


def test_every_file_of_queries_has_its_module() -> None:
    queries = sorted((SOURCE / "store/sql").glob("*.sql"))
    assert queries
    assert [path.name for path in queries if not path.with_suffix(".py").exists()] == []


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in sorted((SOURCE / "store/sql/migrations").glob("*.sql"))]
    assert numbers == list(range(1, len(numbers) + 1))


def _module_state(tree: ast.Module) -> Iterator[ast.AST]:
    """Where a name of the module is rebound by a function, or what it holds is changed."""
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    for node in (inner for function in functions for inner in ast.walk(function)):
        if isinstance(node, ast.Global):
            yield node
        stored = isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load)
        called = isinstance(node, ast.Attribute) and node.attr in _CHANGES
        if (stored or called) and getattr(getattr(node, "value", None), "id", None) in names:
            yield node
