"""Go and Rust programs of tests/acceptance/clients, compiled where the host has the tools."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parents[1] / "acceptance/clients"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lambent-tests"
"""What cargo has compiled: ~45 s the first time, a second after that."""


def go_program(name: str, directory: Path) -> bytes:
    """The executable; skips the test where there is no Go, or its modules cannot be fetched."""
    go = shutil.which("go") or "/usr/local/go/bin/go"
    if not Path(go).exists():
        pytest.skip("no Go here")
    output = directory / name
    built = subprocess.run(
        [go, "build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", str(output), "."],
        cwd=CLIENTS / name,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    if built.returncode != 0 and "go: " in built.stderr:
        pytest.skip(f"go cannot fetch aws-lambda-go: {built.stderr.strip()[-300:]}")
    assert built.returncode == 0, built.stderr
    return output.read_bytes()


def rust_program(name: str) -> bytes:
    """The executable; skips the test where there is no cargo, or the crates cannot be fetched."""
    cargo = shutil.which("cargo") or str(Path.home() / ".cargo/bin/cargo")
    if not Path(cargo).exists():
        pytest.skip("no Rust here")
    target = CACHE / name
    built = subprocess.run(
        [cargo, "build", "--quiet", "--locked", "--target-dir", str(target)],
        cwd=CLIENTS / name,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    if built.returncode != 0 and "failed to" in built.stderr and "download" in built.stderr:
        pytest.skip(f"cargo cannot fetch lambda_runtime: {built.stderr.strip()[-300:]}")
    assert built.returncode == 0, built.stderr
    return (target / "debug/bootstrap").read_bytes()
