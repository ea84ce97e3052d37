"""What is found on this host, and that names are not believed."""

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from lambent.runtimes.interpreters import Interpreters
from lambent.runtimes.registry import RuntimeRegistry

OWN = f"python{sys.version_info[0]}.{sys.version_info[1]}"
REAL = Path(getattr(sys, "_base_executable", sys.executable)).resolve()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "bin"
    directory.mkdir()
    return directory


def test_a_name_that_lies(directory: Path) -> None:
    (directory / "python3.6").symlink_to(REAL)
    (found,) = Interpreters().find([], [directory])
    assert (found.path, found.version) == (REAL, sys.version_info[:3])
    assert found.standard_library == Path(os.__file__).parent


def test_scripts_and_broken_things_are_passed_by(directory: Path) -> None:
    (directory / "python3.11").write_text("#!/bin/sh\ntouch " + str(directory / "ran") + "\n")
    (directory / "python3.11").chmod(0o755)
    (directory / "python3.12").symlink_to(directory / "gone")
    (directory / "python3.13").mkdir()
    shutil.copy("/bin/true", directory / "python3.9")
    (directory / "node").symlink_to("/bin/false")
    assert Interpreters().find([], [directory, directory / "nowhere"]) == []
    assert not (directory / "ran").exists()


def test_each_is_asked_once(directory: Path) -> None:
    (directory / "python3").symlink_to(REAL)
    interpreters = Interpreters()
    first = interpreters.find([], [directory])
    began = time.process_time(), os.times().children_user
    assert interpreters.find([], [directory]) == first
    assert os.times().children_user == began[1], "no process was run again"


def test_the_registry(tmp_path: Path, directory: Path) -> None:
    (directory / "python3").symlink_to(REAL)
    registry = RuntimeRegistry(preferred=[directory], cache=tmp_path / "cache")
    names = registry.installed_identifiers()
    assert {OWN, "provided", "provided.al2", "provided.al2023"} <= set(names)
    assert registry.unavailable(OWN) is None
    assert registry.get("java21") is None
    assert registry.get("nonsense") is None
    install = registry.get(OWN)
    assert install is not None
    assert install is registry.get(OWN)
    assert (install.kind, install.interpreter) == ("channel", REAL)
    assert install.version == "{}.{}.{}".format(*sys.version_info)
    shown = {bind.target: bind.source for bind in install.root.binds}
    assert shown[f"/var/lang/lib/{OWN}"] == Path(os.__file__).parent
    assert install.argv[0] in shown
    assert {"/var/runtime/bootstrap.py", "/var/runtime/lambent_runtime", "/var/runtime/boto3"} <= set(shown)
    assert not any(target.startswith(("/home", "/usr/local", "/usr/src")) for target in shown)
    for bind in install.root.binds:
        assert bind.source.exists(), bind
    compiled = list(shown["/var/runtime/lambent_runtime"].rglob("*.pyc"))
    sources = list(shown["/var/runtime/lambent_runtime"].glob("*.py"))
    assert len(compiled) == len(sources) > 5


def test_a_second_registry_uses_what_the_first_compiled(tmp_path: Path) -> None:
    def runtime() -> tuple[Path, set[tuple[Path, int]]]:
        install = RuntimeRegistry(preferred=[REAL.parent], cache=tmp_path / "cache").get(OWN)
        assert install is not None
        source = next(
            bind.source for bind in install.root.binds if bind.target == "/var/runtime/lambent_runtime"
        )
        return source, {(path, path.stat().st_ino) for path in source.rglob("*.pyc")}

    assert runtime() == runtime()


def test_custom_runtimes_say_which_bootstrap_they_miss(tmp_path: Path) -> None:
    install = RuntimeRegistry().get("provided.al2023")
    assert install is not None
    assert (install.kind, install.interpreter, install.argv[0]) == ("api", None, "/bin/sh")
    assert install.exec_time_variables == frozenset()


def test_an_interpreter_that_disappears(directory: Path) -> None:
    link = directory / "python3"
    link.symlink_to(REAL)
    interpreters = Interpreters()
    assert interpreters.find([], [directory])
    link.unlink()
    assert interpreters.find([], [directory]) == []
