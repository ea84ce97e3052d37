from datetime import date

import pytest

from lambent.runtimes.deprecation import DEPRECATIONS, refusal
from lambent.runtimes.identifiers import all_identifiers


def test_the_refusal_is_awss() -> None:
    assert refusal("nodejs14.x", date(2026, 11, 20), creating=True) == (
        "The runtime parameter of nodejs14.x is no longer supported for creating or updating AWS Lambda functions. "
        "We recommend you use a supported runtime while creating or updating functions."
    )


def test_creation_is_refused_before_updates() -> None:
    deprecation = DEPRECATIONS["python3.9"]
    day = deprecation.block_create
    assert refusal("python3.9", day, creating=True) is not None
    assert refusal("python3.9", day, creating=False) is None
    assert refusal("python3.9", deprecation.block_update, creating=False) is not None


def test_runtimes_without_a_date_are_never_refused() -> None:
    assert refusal("python3.14", date(2099, 1, 1), creating=True) is None
    assert refusal("no such", date(2099, 1, 1), creating=True) is None


@pytest.mark.parametrize("identifier", DEPRECATIONS)
def test_every_entry_is_a_runtime_of_the_model(identifier: str) -> None:
    deprecation = DEPRECATIONS[identifier]
    assert identifier in all_identifiers()
    assert deprecation.block_create <= deprecation.block_update
