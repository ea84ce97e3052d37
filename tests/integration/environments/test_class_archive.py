"""Of a launcher of paper, in real sandboxes."""

import dataclasses
from pathlib import Path

import pytest
from sandboxes import Workbench, bench, needs_root

from lambent.environments.class_archive import make_class_archive
from lambent.runtimes.install import ClassArchive, RuntimeInstall
from lambent.runtimes.roots import custom_root

__all__ = ["bench"]
pytestmark = needs_root


@pytest.fixture
def install(tmp_path: Path) -> RuntimeInstall:
    archive = ClassArchive(
        argv=("/bin/sh", "-c", "echo classes >&5"),
        path=tmp_path / "classes.jsa",
        options=tmp_path / "classes.options",
        content="-XX:SharedArchiveFile=classes.jsa\n",
    )
    archive.options.touch()
    return RuntimeInstall(
        identifier="java21", kind="api", interpreter=None, version="21.0.1", root=custom_root(), argv=(),
        static_variables={}, exec_time_variables=frozenset(), yielding_options={}, class_archive=archive,
    )  # fmt: skip


async def test_it_is_made_once_and_then_the_options_name_it(
    bench: Workbench, install: RuntimeInstall
) -> None:
    archive = install.class_archive
    assert archive is not None
    await make_class_archive(bench.backend, install)
    assert archive.path.read_text() == "classes\n"
    assert archive.options.read_text() == archive.content
    archive.path.write_text("as it was")
    await make_class_archive(bench.backend, install)
    assert archive.path.read_text() == "as it was"


async def test_one_that_fails_leaves_nothing(
    bench: Workbench, install: RuntimeInstall, caplog: pytest.LogCaptureFixture
) -> None:
    assert install.class_archive is not None
    failing = dataclasses.replace(install.class_archive, argv=("/bin/sh", "-c", "echo half >&5; exit 3"))
    await make_class_archive(bench.backend, dataclasses.replace(install, class_archive=failing))
    assert not failing.path.exists()
    assert failing.options.read_text() == ""
    assert sorted(path.name for path in failing.path.parent.glob("classes*")) == ["classes.options"]
    assert "no classes were archived for java21" in caplog.text
