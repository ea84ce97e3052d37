"""Our launcher, which brings a Java virtual machine up before there is a function: compiled once per host and client.

`java/lambent` has its sources. Where there is no compiler, functions are started with their variables, and wait for it.
"""

import hashlib
import logging
import platform
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lambent.base.disk import sync_file_system
from lambent.runtimes import native_call
from lambent.runtimes.identifiers import Unavailable
from lambent.runtimes.install import CLASS_ARCHIVE_DESCRIPTOR, ClassArchive
from lambent.runtimes.interpreters import Interpreter
from lambent.runtimes.java_client import JavaClient, options, release_of
from lambent.runtimes.variables import LANG_DIR, RUNTIME_DIR, TASK_ROOT
from lambent.sandbox.port import Bind

log = logging.getLogger(__name__)

_SOURCES: Final = Path(__file__).parent / "java/lambent"
_MAIN: Final = "lambent.Launcher"
_JAR, _CALL, _JNI = "launcher.jar", "libcall.so", "libaws-lambda-jni.so"
_INSIDE: Final = f"{RUNTIME_DIR}/launcher"
_JAVA: Final = f"{LANG_DIR}/bin/java"
_JNI_IN_CLIENT: Final = {
    "x86_64": "jni/libaws-lambda-jni.linux-x86_64.so",
    "aarch64": "jni/libaws-lambda-jni.linux-aarch_64.so",
}
_COMPILE_SECONDS: Final = 120.0
_MODULES, _ARCHIVES, _UNSAFE_WARNED_OF = 9, 13, 23
"""The releases of Java since which what is within is closed, classes are archived at the end, and writing to memory is
warned of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JavaLauncher:
    """`directory` has the launcher, what it calls the C library with, and the client's own library, unpacked."""

    directory: Path
    client: JavaClient

    def binds(self) -> tuple[Bind, ...]:
        return (Bind(self.directory, _INSIDE),)

    def argv(self, release: int, archive: ClassArchive | None) -> tuple[str, ...]:
        """`{heap_mb}` stands for the size of the heap, which depends on the function's memory."""
        archived = (f"@{_INSIDE}/{archive.options.name}",) if archive else ()
        return (_JAVA, "-Xmx{heap_mb}m", *archived, *self._options(release), _MAIN)

    def class_archive(self, interpreter: Interpreter) -> ClassArchive | None:
        """None where the virtual machine is too old for one."""
        release = release_of(interpreter.version)
        if release < _ARCHIVES:
            return None
        status = interpreter.path.stat()
        which = f"{interpreter.path}\0{status.st_size}\0{status.st_mtime_ns}"
        path = self.directory / f"classes-{hashlib.sha256(which.encode()).hexdigest()[:16]}.jsa"
        options = path.with_suffix(".options")
        options.touch()
        made = "/tmp/classes.jsa"  # noqa: S108 - a path inside
        rehearsed = (_JAVA, f"-XX:ArchiveClassesAtExit={made}", *self._options(release), _MAIN, "rehearse")
        return ClassArchive(
            argv=(
                "/bin/sh",
                "-c",
                f'nice -n 19 "$@" && cat {made} >&{CLASS_ARCHIVE_DESCRIPTOR}',
                "sh",
                *rehearsed,
            ),
            path=path,
            options=options,
            content=f"-XX:SharedArchiveFile={_INSIDE}/{path.name} -Xlog:cds*=off\n",
        )

    def _options(self, release: int) -> tuple[str, ...]:
        jars = [f"{_INSIDE}/{_JAR}", *(bind.target for bind in self.client.binds())]
        return (
            *options(release),
            *_own_options(release),
            f"-Duser.dir={TASK_ROOT}",
            f"-Dlambent.call={_INSIDE}/{_CALL}",
            f"-Dcom.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI={_INSIDE}/{_JNI}",
            "-cp",
            ":".join(jars),
        )


def _own_options(release: int) -> tuple[str, ...]:
    """For setting variables."""
    chosen = []
    if release >= _MODULES:
        chosen += [f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in ("lang", "util")]
    if release >= _UNSAFE_WARNED_OF:
        chosen.append("--sun-misc-unsafe-memory-access=allow")
    return tuple(chosen)


def find_compiler(java_homes: Iterable[Path], search_path: Sequence[Path]) -> Path | None:
    places = [home / below for home in java_homes for below in ("bin", "../bin")]
    return next((place / "javac" for place in (*places, *search_path) if (place / "javac").is_file()), None)


def missing(compiler: Path | None, release: int) -> Unavailable | None:
    """Why there can be no launcher here, and what mends it."""
    machine = platform.machine()
    if machine not in native_call.machines():
        return Unavailable(reason=f"Java virtual machines do not wait for functions on {machine}")
    if platform.libc_ver()[0] != "glibc":
        return Unavailable(
            reason="Java virtual machines wait for functions where the C library is glibc, and here it is another",
            command="run Lambent on a distribution with glibc, such as Debian",
        )
    if compiler is None:
        return Unavailable(
            reason="no javac was found, without which Java virtual machines do not wait for functions",
            command=f"apt-get install openjdk-{release}-jdk-headless",
        )
    return None


def make_launcher(cache: Path, client: JavaClient, compiler: Path) -> JavaLauncher | None:
    """Compiles it, unless that was done before (~2 s). None where that fails."""
    machine = platform.machine()
    directory = cache / f"java-{_digest(client, machine)}"
    if not directory.is_dir():
        try:
            _make(directory, client, compiler, machine)
        except (OSError, KeyError, subprocess.SubprocessError, zipfile.BadZipFile) as error:
            log.warning("Java functions will not start as fast as they could: %s", _reason(error))
            return None
    return JavaLauncher(directory=directory, client=client)


def _make(directory: Path, client: JavaClient, compiler: Path, machine: str) -> None:
    """Whole or not at all."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".java-", dir=directory.parent) as scratch:
        made, classes = Path(scratch) / "made", Path(scratch) / "classes"
        made.mkdir()
        _compile(classes, client, compiler)
        with zipfile.ZipFile(made / _JAR, "w") as jar:
            for path in sorted(classes.rglob("*.class")):
                jar.write(path, path.relative_to(classes))
        (made / _CALL).write_bytes(native_call.library(machine))
        with zipfile.ZipFile(client.jars[0]) as jar:
            (made / _JNI).write_bytes(jar.read(_JNI_IN_CLIENT[machine]))
        for path in made.iterdir():
            path.chmod(0o644)
        made.chmod(0o755)
        sync_file_system(
            made
        )  # it gets its name when it is on disk: what a power cut left would be taken for whole
        try:
            made.rename(directory)
        except OSError:
            if not directory.is_dir():  # unless somebody else was faster
                raise


def _compile(classes: Path, client: JavaClient, compiler: Path) -> None:
    classes.mkdir()
    # Not --release: that hides sun.misc.Unsafe.
    command = [str(compiler), "-nowarn", "-XDignore.symbol.file", "-Xlint:-options", "-proc:none"]
    command += ["-source", "8", "-target", "8", "-cp", ":".join(map(str, client.jars)), "-d", str(classes)]
    command += map(str, _sources())
    subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=_COMPILE_SECONDS
    )


def _sources() -> list[Path]:
    return sorted(_SOURCES.glob("*.java"))


def _digest(client: JavaClient, machine: str) -> str:
    digest = hashlib.sha256(f"{machine}\0{client.version}\0".encode())
    for path in _sources():
        digest.update(path.read_bytes())
    digest.update(native_call.library(machine))
    return digest.hexdigest()[:16]


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return f"our launcher did not compile: {error.stderr.decode(errors='replace')[:500]}"
    return str(error) or type(error).__name__
