"""What every rule looks at, read once; and the sizes of files, which are reported, not enforced."""

import ast
import statistics
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/lambent"
_MEDIAN_BUDGET, _P90_BUDGET = 130, 350


@dataclass(frozen=True)
class Module:
    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return str(self.path.relative_to(SOURCE))

    def at(self, node: ast.AST) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}"


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    """Every Python file below src/lambent."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.append(Module(path, text, ast.parse(text)))
    assert len(found) > 200
    return found


@pytest.fixture(scope="session")
def server_modules(modules: list[Module]) -> list[Module]:
    """Those that run in the server: without what runs inside environments, and without the examples."""
    inside = (SOURCE / "runtimes/python", SOURCE / "cli/examples")
    return [
        module for module in modules if not any(module.path.is_relative_to(directory) for directory in inside)
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    sizes = {path: len(path.read_bytes().splitlines()) for path in SOURCE.rglob("*.py")}
    p90 = statistics.quantiles(sizes.values(), n=10)[-1]
    large = sorted((lines, path.relative_to(SOURCE)) for path, lines in sizes.items() if lines > _P90_BUDGET)
    above = ", ".join(f"{path} ({lines})" for lines, path in reversed(large)) or "none"
    terminalreporter.write_line(
        f"source files: {len(sizes)}, {sum(sizes.values())} lines, median {statistics.median(sizes.values()):.0f} "
        f"(budget {_MEDIAN_BUDGET}), p90 {p90:.0f} (budget {_P90_BUDGET}); above {_P90_BUDGET}: {above}"
    )
