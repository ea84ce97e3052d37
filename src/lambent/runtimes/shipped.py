"""What we put into /var/runtime: our bootstraps, and for Python the AWS SDK that AWS's runtimes have there too.

Given a cache directory, both are copied there once, so that they can be compiled for each interpreter: roots are
read-only, and a start that has to compile takes tens of milliseconds (for the SDK, a second) longer.
"""

import hashlib
import importlib.metadata
import importlib.util
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from lambent.base.disk import sync_file_system
from lambent.runtimes.variables import RUNTIME_DIR
from lambent.sandbox.port import Bind

_HERE = Path(__file__).parent
_PYTHON: Final = ("bootstrap.py", "lambent_runtime", "snapshot_restore_py.py")
_SDK: Final = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
_DATA: Final = ("boto3/data", "botocore/data")
"""Hundreds of megabytes of service models, shown where they are instead of copied."""


def python_binds(cache: Path | None, minor: int) -> tuple[Bind, ...]:
    """What /var/runtime shows to CPython 3.`minor`."""
    source = _HERE / "python"
    directory = _copied(cache, "python", [source / name for name in _PYTHON]) if cache else source
    own = [Bind(directory / name, f"{RUNTIME_DIR}/{name}") for name in _PYTHON]
    return (*own, *(_sdk_binds(cache) if minor >= sdk_oldest_minor() else ()))


def nodejs_binds(modules: Path | None) -> tuple[Bind, ...]:
    """`modules` is a node_modules directory with the AWS SDK for JavaScript, which npm has and we do not."""
    own = [Bind(path, f"{RUNTIME_DIR}/{path.name}") for path in sorted((_HERE / "nodejs").glob("*.*js"))]
    return (*own, *([Bind(modules, f"{RUNTIME_DIR}/node_modules")] if modules else ()))


def ruby_binds() -> tuple[Bind, ...]:
    return tuple(
        Bind(_HERE / "ruby" / name, f"{RUNTIME_DIR}/{name}") for name in ("bootstrap.rb", "lambent_runtime")
    )


def compilable(binds: Iterable[Bind], cache: Path | None) -> list[Path]:
    """The directories among `binds` that are ours to write to."""
    return [
        bind.source for bind in binds if cache and bind.source.is_relative_to(cache) and bind.source.is_dir()
    ]


def sdk_oldest_minor() -> int:
    """The oldest CPython 3.x that the installed SDK runs on."""
    required = importlib.metadata.metadata("boto3")["Requires-Python"] or ""
    oldest = re.search(r">=\s*3\.(\d+)", required)
    return int(oldest[1]) if oldest else 0


def _sdk_binds(cache: Path | None) -> list[Bind]:
    sources = [path for path in map(module_path, _SDK) if path is not None]
    if cache is None:
        return [Bind(path, f"{RUNTIME_DIR}/{path.name}") for path in sources]
    directory = _copied(cache, f"sdk-{importlib.metadata.version('botocore')}", sources)
    binds = [Bind(directory / path.name, f"{RUNTIME_DIR}/{path.name}") for path in sources]
    site = {path.name: path.parent for path in sources}
    for name in _DATA:
        package = name.split("/", maxsplit=1)[0]
        if package in site and (site[package] / name).is_dir():
            binds.append(Bind(site[package] / name, f"{RUNTIME_DIR}/{name}"))
    return binds


def module_path(name: str) -> Path | None:
    """A package's directory, or a module's file."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return None
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin


def _copied(cache: Path, name: str, sources: list[Path]) -> Path:
    """`<cache>/<name>-<digest>` with copies of `sources`. Made once, whole or not at all."""
    target = cache / f"{name}-{_digest(sources)}"
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache))
    try:
        scratch.chmod(0o755)
        for source in sources:
            if source.is_dir():
                shutil.copytree(source, scratch / source.name, ignore=_ignore)
            else:
                shutil.copy2(source, scratch / source.name)
        for data in _DATA:
            if (scratch / data).parent.is_dir():
                (scratch / data).mkdir()
        sync_file_system(scratch)  # else a power cut may leave the name with half of what it names
        scratch.rename(target)
    except OSError:
        if not target.is_dir():  # unless somebody else was faster
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _ignore(directory: str, names: list[str]) -> set[str]:
    ignored = {"__pycache__"} & set(names)
    if Path(directory).name in ("boto3", "botocore"):
        ignored |= {"data"} & set(names)
    return ignored


def _digest(sources: list[Path]) -> str:
    """Of names, sizes and times, which change when a package is upgraded."""
    digest = hashlib.sha256()
    for source in sources:
        for path in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            status = path.stat()
            digest.update(
                f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode(errors="surrogateescape")
            )
    return digest.hexdigest()[:16]
