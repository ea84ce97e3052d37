"""The whole check of a checkout: style, types, import rules, tests. What `./dev test` runs, and so what CI runs."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

STEPS: list[tuple[str, list[str]]] = [
    ("style", [str(BIN / "ruff"), "check", "--quiet", "."]),
    ("format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
    ("types", [str(BIN / "mypy")]),
    ("imports", [str(BIN / "lint-imports")]),
]


def main() -> int:
    failed = [name for name, command in STEPS if not run(name, command)]
    tests = [sys.executable, "-m", "pytest", *sys.argv[1:]]
    if not run("tests", tests):
        failed.append("tests")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(name: str, command: list[str]) -> bool:
    print(f"── {name}", flush=True)
    started = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    print(
        f"── {name}: {'ok' if code == 0 else f'exit {code}'} in {time.monotonic() - started:.0f} s",
        flush=True,
    )
    return code == 0


if __name__ == "__main__":
    sys.exit(main())
