"""Java: AWS's own runtime interface client, as Maven has it, on the host's virtual machine.

The client is looked for where Maven keeps what it fetched (~/.m2/repository), with what it depends on.

Source: https://docs.aws.amazon.com/lambda/latest/dg/java-image.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from lambent.runtimes.variables import LANG_DIR, RUNTIME_DIR
from lambent.sandbox.port import Bind

_GROUP: Final = "com.amazonaws"
_CLIENT: Final = "aws-lambda-java-runtime-interface-client"
_MODULES, _NATIVE_ACCESS = 9, 22
"""The releases of Java since which what is within is closed, and native code warned of."""
_POM: Final = "{http://maven.apache.org/POM/4.0.0}"
CLIENT_COMMAND: Final = f"mvn dependency:get -Dartifact={_GROUP}:{_CLIENT}:2.10.1"
"""Fetches the client and all that it needs."""

_COMMAND: Final = (
    "set -- {java} -Xmx$((AWS_LAMBDA_FUNCTION_MEMORY_SIZE * 7 / 10))m {options} "
    '-cp "{runtime}/lib/*" com.amazonaws.services.lambda.runtime.api.client.AWSLambda "$_HANDLER"; '
    'if [ -n "$AWS_LAMBDA_EXEC_WRAPPER" ]; then exec "$AWS_LAMBDA_EXEC_WRAPPER" "$@"; fi; exec "$@"'
)
"""The heap leaves room for what else the virtual machine needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JavaClient:
    """The jar files of the client and what it needs."""

    version: str
    jars: tuple[Path, ...]

    def binds(self) -> tuple[Bind, ...]:
        return tuple(Bind(jar, f"{RUNTIME_DIR}/lib/{jar.name}") for jar in self.jars)


def argv(release: int) -> tuple[str, ...]:
    """Of a process that is started with the function's variables."""
    java, chosen = f"{LANG_DIR}/bin/java", " ".join(options(release))
    return ("/bin/sh", "-c", _COMMAND.format(java=java, options=chosen, runtime=RUNTIME_DIR))


def options(release: int) -> tuple[str, ...]:
    """Of the virtual machine. As AWS does, it collects garbage with one thread and compiles quickly rather than well:
    a function starts more often than it runs long."""
    chosen = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto"]
    if release >= _MODULES:
        chosen.append("--add-opens=java.base/java.io=ALL-UNNAMED")  # for the descriptor that it logs to
    if release >= _NATIVE_ACCESS:
        chosen.append("--enable-native-access=ALL-UNNAMED")
    return tuple(chosen)


def find_client(home: Path | None) -> JavaClient | None:
    """The newest client of the user's Maven repository; None where none is there with all that it needs."""
    if home is None:
        return None
    repository = home / ".m2/repository"
    versions = [jar.parent.name for jar in _directory(repository, _GROUP, _CLIENT).glob(f"*/{_CLIENT}-*.jar")]
    for version in sorted(set(versions), key=_numbers, reverse=True):
        jars = _jars(repository, version)
        if jars and all(jar.is_file() for jar in jars):
            return JavaClient(version=version, jars=jars)
    return None


def _jars(repository: Path, version: str) -> tuple[Path, ...]:
    """The client's, and those that its description says it is run with; () where that is not there."""
    pom = _directory(repository, _GROUP, _CLIENT) / version / f"{_CLIENT}-{version}.pom"
    try:
        described = ElementTree.parse(pom)  # noqa: S314 - the user's own, fetched by Maven
    except (OSError, ElementTree.ParseError):
        return ()
    needed = [(_GROUP, _CLIENT, version)]
    for dependency in described.iterfind(f"{_POM}dependencies/{_POM}dependency"):
        if dependency.findtext(f"{_POM}scope", "compile") in ("compile", "runtime"):
            group, artifact, number = (
                dependency.findtext(f"{_POM}{name}", "") for name in ("groupId", "artifactId", "version")
            )
            needed.append((group, artifact, number))
    return tuple(
        _directory(repository, group, artifact) / number / f"{artifact}-{number}.jar"
        for group, artifact, number in needed
    )


def _directory(repository: Path, group: str, artifact: str) -> Path:
    return repository / group.replace(".", "/") / artifact


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else -1 for part in version.split("."))


def configuration_binds(java_home: Path) -> list[Bind]:
    """Debian keeps a virtual machine's configuration in /etc, and links to it."""
    directories = {Path(*target.parts[:3]) for target in _links_out(java_home) if target.parts[1] == "etc"}
    return [
        Bind(directory, str(directory))
        for directory in sorted(directories)
        if directory.name.startswith("java")
    ]


def _links_out(java_home: Path) -> Iterator[Path]:
    for place in ("conf", "lib"):
        for path in (java_home / place).rglob("*"):
            if path.is_symlink():
                yield path.resolve()


def release_of(version: Sequence[int]) -> int:
    """17 of 17.0.15; 8 of 1.8.0, as it was once written."""
    return version[1] if version[0] == 1 else version[0]
