"""Which interpreters this host has: where they may be, and what each says that it is.

Names are never believed: `python3.11` may be a shell script of a version manager, or a link to something newer. Every
candidate is resolved to the real executable and run once.
"""

import ast
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Language = Literal["python", "nodejs", "java", "ruby"]

_NAMES: Final[dict[Language, re.Pattern[str]]] = {
    "python": re.compile(r"python(3(\.\d+)?)?"),
    "nodejs": re.compile(r"node(js)?"),
    "java": re.compile(r"java"),
    "ruby": re.compile(r"ruby(-?\d+\.\d+)?"),
}
_ELF_MAGIC = b"\x7fELF"
_PROBE_SECONDS = 5.0
_PROBES_AT_ONCE = 4

# One line, that Python 3.0 still parses: a literal with all that we want to know.
_PYTHON_QUESTION = (
    "import os, sys, importlib.machinery as m; "
    "print((sys.implementation.name, tuple(sys.version_info[:3]), sys.prefix, os.path.dirname(os.__file__), "
    "'t' in getattr(sys, 'abiflags', ''), "
    "'_ssl' in sys.builtin_module_names or m.PathFinder.find_spec('_ssl') is not None))"
)

_RUBY_QUESTION = (
    "require 'rbconfig'; "
    "print [RUBY_ENGINE, RUBY_VERSION, RbConfig::CONFIG['prefix'], RbConfig::CONFIG['rubylibdir']].inspect"
)

_HOME_PLACES = (
    ".pyenv/versions/*/bin",
    ".local/share/uv/python/*/bin",
    ".nvm/versions/node/*/bin",
    ".local/share/fnm/node-versions/*/installation/bin",
    ".fnm/node-versions/*/installation/bin",
    "n/n/versions/node/*/bin",
    ".sdkman/candidates/java/*/bin",
    ".rbenv/versions/*/bin",
    ".rubies/*/bin",
    ".rvm/rubies/*/bin",
    ".local/bin",
)
_PLACES = (
    "usr/bin",
    "usr/local/bin",
    "opt/*/bin",
    "opt/python/*/bin",
    "usr/local/n/versions/node/*/bin",
    "usr/lib/jvm/*/bin",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """`path` is the real executable; `standard_library` is Python's or Ruby's, a directory below `prefix`; `preferred`
    says that the user named the directory of the executable."""

    language: Language
    path: Path
    prefix: Path
    version: tuple[int, int, int]
    standard_library: Path | None = None
    tls: bool = True
    preferred: bool = False

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))

    @property
    def rank(self) -> tuple[bool, bool, tuple[int, int, int]]:
        """Of several that could serve a runtime, the highest does. Without TLS, no AWS SDK works."""
        return self.preferred, self.tls, self.version


def usual_directories(search_path: Sequence[Path], home: Path | None) -> list[Path]:
    """`search_path` first, then where distributions and version managers put interpreters."""
    places = [*search_path]
    for pattern in _PLACES:
        places += sorted(Path("/").glob(pattern))
    for pattern in _HOME_PLACES if home is not None else ():
        assert home is not None
        places += sorted(home.glob(pattern))
    return places


class Interpreters:
    """Answers from memory for an executable that has not changed since it was asked."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, int, int], Interpreter | None] = {}

    def find(self, preferred: Sequence[Path], directories: Sequence[Path]) -> list[Interpreter]:
        """Asks several at the same time: ~0.2 s for a dozen that are not known yet."""
        candidates: dict[Path, tuple[Language, bool]] = {}
        for language, path in _executables(preferred):
            candidates.setdefault(path, (language, True))
        for language, path in _executables(directories):
            candidates.setdefault(path, (language, False))
        with ThreadPoolExecutor(_PROBES_AT_ONCE) as pool:
            asked = pool.map(
                lambda item: self._ask(item[0], language=item[1][0], preferred=item[1][1]), candidates.items()
            )
            return [interpreter for interpreter in asked if interpreter is not None]

    def _ask(self, path: Path, *, language: Language, preferred: bool) -> Interpreter | None:
        try:
            status = path.stat()
            key = (path, status.st_mtime_ns, status.st_size)
            if key not in self._known:
                self._known[key] = _ASK[language](path, preferred)
            return self._known[key]
        except (OSError, subprocess.SubprocessError, ValueError, SyntaxError):
            return None  # cannot be run here, or is something else by that name


def _executables(directories: Iterable[Path]) -> Iterator[tuple[Language, Path]]:
    for directory in dict.fromkeys(directories):
        try:
            names = sorted(os.listdir(directory), reverse=True)  # noqa: PTH208 - names are all we want
        except OSError:
            continue
        for name in names:
            for language, pattern in _NAMES.items():
                if pattern.fullmatch(name) and (path := _real_executable(directory / name)) is not None:
                    yield language, path


def _real_executable(path: Path) -> Path | None:
    """None for what is no machine code: scripts of version managers, above all."""
    try:
        real = path.resolve(strict=True)
        if not os.access(real, os.X_OK):
            return None
        with real.open("rb") as file:
            return real if file.read(4) == _ELF_MAGIC else None
    except OSError:
        return None


def _ask_python(path: Path, preferred: bool) -> Interpreter | None:
    answer = _run([str(path), "-I", "-S", "-c", _PYTHON_QUESTION])
    name, version, prefix, library, free_threaded, tls = ast.literal_eval(answer)
    if name != "cpython" or free_threaded:
        return None
    return Interpreter(
        language="python",
        path=path,
        prefix=Path(prefix),
        standard_library=Path(library),
        version=version,
        tls=tls,
        preferred=preferred,
    )


def _ask_nodejs(path: Path, preferred: bool) -> Interpreter | None:
    answer = re.fullmatch(r"v(\d+)\.(\d+)\.(\d+)", _run([str(path), "--version"]).strip())
    if answer is None:
        return None
    major, minor, patch = map(int, answer.groups())
    prefix = path.parent.parent
    return Interpreter(
        language="nodejs", path=path, prefix=prefix, version=(major, minor, patch), preferred=preferred
    )


def _ask_java(path: Path, preferred: bool) -> Interpreter | None:
    answer = _run([str(path), "-XshowSettings:properties", "-version"])
    home = re.search(r"^\s*java\.home = (.+)$", answer, re.M)
    version = re.search(r"^\s*java\.version = (\d+)(?:\.(\d+))?(?:\.(\d+))?", answer, re.M)
    if home is None or version is None:
        return None
    major, minor, patch = (int(part or 0) for part in version.groups())
    return Interpreter(
        language="java",
        path=path,
        prefix=Path(home[1]).resolve(),
        version=(major, minor, patch),
        preferred=preferred,
    )


def _ask_ruby(path: Path, preferred: bool) -> Interpreter | None:
    engine, version, prefix, library = ast.literal_eval(
        _run([str(path), "--disable-gems", "-e", _RUBY_QUESTION])
    )
    if engine != "ruby":
        return None
    major, minor, patch = (int(part) for part in version.split("."))
    return Interpreter(
        language="ruby",
        path=path,
        prefix=Path(prefix),
        standard_library=Path(library),
        version=(major, minor, patch),
        preferred=preferred,
    )


_ASK: Final[Mapping[Language, Callable[[Path, bool], Interpreter | None]]] = {
    "python": _ask_python,
    "nodejs": _ask_nodejs,
    "java": _ask_java,
    "ruby": _ask_ruby,
}


def _run(command: list[str]) -> str:
    """What it writes. Raises SubprocessError where it fails or takes too long."""
    finished = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if "-XshowSettings:properties" in command else subprocess.DEVNULL,
        timeout=_PROBE_SECONDS,
        check=True,
        cwd="/",
        env={"LC_ALL": "C.UTF-8"},
    )
    return finished.stdout.decode()
