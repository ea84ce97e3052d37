"""Compiling deployed code: what is written, what is left alone, and that it is not trusted."""

import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

from lambent.runtimes.compile import compile_python
from lambent.runtimes.install import RuntimeInstall
from lambent.runtimes.interpreters import Interpreter
from lambent.sandbox.port import Root


def install_of(interpreter: Interpreter) -> RuntimeInstall:
    return RuntimeInstall(
        identifier="python{}.{}".format(*interpreter.version),
        kind="channel",
        interpreter=interpreter.path,
        version=interpreter.version_text,
        root=Root(binds=()),
        argv=(),
        static_variables={},
        exec_time_variables=frozenset(),
        yielding_options={},
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "package" / "deep").mkdir(parents=True)
    (tree / "app.py").write_text("answer = 42\n")
    (tree / "package" / "__init__.py").write_text("")
    (tree / "package" / "deep" / "module.py").write_text(
        "name = __name__\nfile = (lambda: 0).__code__.co_filename\n"
    )
    return tree


def test_every_interpreter_imports_what_was_compiled_for_it(every_python: Interpreter, tree: Path) -> None:
    compile_python(tree, install_of(every_python))
    tag = "cpython-{}{}".format(*every_python.version)
    compiled = sorted(str(path.relative_to(tree)) for path in tree.rglob("*.pyc"))
    assert compiled == [
        f"__pycache__/app.{tag}.pyc",
        f"package/__pycache__/__init__.{tag}.pyc",
        f"package/deep/__pycache__/module.{tag}.pyc",
    ]
    if every_python.version >= (3, 7, 0):
        # Never checked against the source: a changed source shows that the compiled one is what was imported.
        (tree / "app.py").write_text("answer = 43\n")
    program = "import app, package.deep.module as m; print(app.answer, m.name, m.file)"
    command = [str(every_python.path), "-S", "-B", "-c", program]
    output = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True).stdout.split()
    assert output[:2] == ["42", "package.deep.module"]
    assert output[2].endswith("package/deep/module.py")


def test_no_process_is_started_where_all_is_compiled(
    python: Interpreter, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_python(tree, install_of(python))
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    compile_python(tree, install_of(python))


def test_what_cannot_be_compiled_is_passed_by(python: Interpreter, tree: Path) -> None:
    (tree / "aaa_broken.py").write_text("def (:\n")
    (tree / "aaa_null.py").write_bytes(b"\x00")
    (tree / "aaa_deep.py").write_text("(" * 5000 + ")" * 5000)
    (tree / "aaa_latin.py").write_bytes(b"# -*- coding: latin-1 -*-\nx = '\xe9'\n")
    (tree / "aaa_crash.py").write_text("x = " + "-" * 300_000 + "1\n")
    compile_python(tree, install_of(python))
    names = {path.name.split(".")[0] for path in tree.rglob("*.pyc")}
    assert not names & {"aaa_broken", "aaa_null"}
    assert "aaa_latin" in names


def test_compiled_files_of_the_package_itself_stay(python: Interpreter, tree: Path) -> None:
    cache = tree / "__pycache__"
    cache.mkdir()
    own = cache / "app.cpython-{}{}.pyc".format(*python.version)
    own.write_bytes(b"mine")
    compile_python(tree, install_of(python))
    assert own.read_bytes() == b"mine"


def test_links_lead_nowhere(python: Interpreter, tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("x = 1\n")
    (tree / "link.py").symlink_to(outside / "secret.py")
    (tree / "linked").symlink_to(outside)
    (tree / "package" / "__pycache__").symlink_to(outside)
    os.mkfifo(tree / "pipe.py")
    compile_python(tree, install_of(python))
    assert sorted(path.name for path in outside.iterdir()) == ["secret.py"]
    assert not list(tree.rglob("link.*.pyc"))


def test_the_worker_has_no_rights(python: Interpreter, tree: Path) -> None:
    worker = Path(importlib.util.find_spec("lambent.runtimes.compile_worker").origin)  # type: ignore[union-attr,arg-type]
    program = (
        f"import sys; sys.path.insert(0, {str(worker.parent)!r}); import compile_worker, os, resource\n"
        "compile_worker.give_up_rights(65534)\n"
        "print(os.getuid(), os.getgid(), os.getgroups(), resource.getrlimit(resource.RLIMIT_FSIZE)[1])\n"
    )
    command = [str(python.path), "-I", "-S", "-B", "-c", program]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if os.getuid() == 0:
        assert output == "65534 65534 [] 0"
    else:
        assert output.startswith(f"{os.getuid()} ") and output.endswith(" 0")


def test_an_interpreter_that_is_gone_is_no_error(tree: Path, caplog: pytest.LogCaptureFixture) -> None:
    gone = Interpreter(
        language="python", path=Path("/nowhere/python3.11"), prefix=Path("/"), version=(3, 11, 0)
    )
    compile_python(tree, install_of(gone))
    assert "stopped compiling" in caplog.text
    assert not list(tree.rglob("*.pyc"))


def test_other_languages_are_left_alone(tree: Path) -> None:
    node = Interpreter(language="nodejs", path=Path("/usr/bin/node"), prefix=Path("/usr"), version=(20, 0, 0))
    other = RuntimeInstall(
        identifier="nodejs20.x",
        kind="channel",
        interpreter=node.path,
        version="20.0.0",
        root=Root(binds=()),
        argv=(),
        static_variables={},
        exec_time_variables=frozenset(),
        yielding_options={},
    )
    compile_python(tree, other)
    assert not list(tree.rglob("*.pyc"))
