import pytest
from cryptography.exceptions import InvalidTag

from lambent.base.sealing import Sealing

SECRET = {"ApiKeyAuthParameters": {"ApiKeyName": "n", "ApiKeyValue": "v"}}


def test_what_is_sealed_opens_for_its_owner_only():
    sealing = Sealing(b"k" * 32)
    sealed = sealing.seal(SECRET, "one")
    assert sealing.open(sealed, "one") == SECRET
    assert sealing.seal(SECRET, "one") != sealed
    with pytest.raises(InvalidTag):
        sealing.open(sealed, "other")
    with pytest.raises(InvalidTag):
        Sealing(b"x" * 32).open(sealed, "one")
