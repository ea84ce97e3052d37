from lambent.api.credentials import FirstOf
from lambent.api.root_key import RootCredentials, RootKey

KEY = RootKey(access_key_id="AKIAROOT", secret_access_key="s")


def test_the_root_s_key_speaks_for_the_account():
    credential = RootCredentials(KEY, "123456789012").find("AKIAROOT", None)
    assert credential.principal_arn == "arn:aws:iam::123456789012:root"
    assert (credential.account_id, credential.user_id) == ("123456789012", "123456789012")
    assert RootCredentials(KEY, "123456789012").find("AKIAOTHER", None) is None


def test_the_first_that_knows_a_key_answers():
    sources = FirstOf(
        RootCredentials(KEY, "1" * 12),
        RootCredentials(KEY, "2" * 12),
        RootCredentials(RootKey(access_key_id="AKIAB", secret_access_key="t"), "3" * 12),
    )
    assert sources.find("AKIAROOT", None).account_id == "1" * 12
    assert sources.find("AKIAB", None).account_id == "3" * 12
    assert sources.find("AKIAC", None) is None
