from pathlib import Path

import pytest

from lambent.runtimes import java_launcher
from lambent.runtimes.interpreters import Interpreter
from lambent.runtimes.java_client import find_client, release_of
from lambent.runtimes.registry import best_interpreters

CLIENT, CORE = "aws-lambda-java-runtime-interface-client", "aws-lambda-java-core"
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><dependencies>
<dependency><groupId>com.amazonaws</groupId><artifactId>aws-lambda-java-core</artifactId><version>1.4.0</version></dependency>
<dependency><groupId>org.x</groupId><artifactId>y</artifactId><version>1</version><scope>test</scope></dependency>
</dependencies></project>"""


def keep(home: Path, artifact: str, version: str, pom: str = "<project/>") -> None:
    directory = home / ".m2/repository/com/amazonaws" / artifact / version
    directory.mkdir(parents=True)
    (directory / f"{artifact}-{version}.jar").touch()
    (directory / f"{artifact}-{version}.pom").write_text(pom)


def test_the_newest_client_of_mavens_repository_is_taken_with_what_it_needs(tmp_path: Path) -> None:
    for version in ("2.9.0", "2.10.1"):
        keep(tmp_path, CLIENT, version, POM)
    keep(tmp_path, CORE, "1.4.0")
    client = find_client(tmp_path)
    assert client is not None
    assert [bind.target for bind in client.binds()] == [
        f"/var/runtime/lib/{CLIENT}-2.10.1.jar",
        f"/var/runtime/lib/{CORE}-1.4.0.jar",
    ]


def test_a_client_that_is_not_whole_is_none(tmp_path: Path) -> None:
    keep(tmp_path, CLIENT, "2.10.1", POM)
    assert find_client(tmp_path) is None
    assert find_client(None) is None


def test_releases_of_java() -> None:
    assert [release_of(version) for version in ((1, 8, 0), (11, 0, 2), (25, 0, 0))] == [8, 11, 25]


def test_a_virtual_machine_serves_every_identifier_of_its_release() -> None:
    found = [Interpreter(language="java", path=Path("/j"), prefix=Path("/"), version=(1, 8, 0))]
    assert {"java8", "java8.al2"} <= best_interpreters(found).keys()


@pytest.mark.parametrize(
    ("machine", "libc", "compiler", "reason", "command"),
    [
        ("x86_64", "glibc", Path("/usr/bin/javac"), None, None),
        ("riscv64", "glibc", Path("/usr/bin/javac"), "do not wait for functions on riscv64", None),
        ("x86_64", "", Path("/usr/bin/javac"), "where the C library is glibc", "with glibc, such as Debian"),
        ("x86_64", "glibc", None, "no javac was found", "apt-get install openjdk-17-jdk-headless"),
    ],
)
def test_why_virtual_machines_do_not_wait(
    monkeypatch: pytest.MonkeyPatch,
    machine: str,
    libc: str,
    compiler: Path | None,
    reason: str | None,
    command: str | None,
) -> None:
    monkeypatch.setattr(java_launcher.platform, "machine", lambda: machine)
    monkeypatch.setattr(java_launcher.platform, "libc_ver", lambda: (libc, ""))
    missing = java_launcher.missing(compiler, 17)
    if reason is None:
        assert missing is None
        return
    assert missing is not None
    assert reason in missing.reason
    assert (missing.command is None) is (command is None)
    assert (command or "") in (missing.command or "")
