"""Environment variables under a customer's key, from deployment to the function."""

import sqlite3

import pytest
from lambent_server import Lambent, eventually

SOURCE = "import os\ndef handler(event, context): return os.environ.get('PASSWORD')"


def test_variables_are_encrypted_at_rest_and_clear_inside(lambent: Lambent) -> None:
    kms, client = lambent.client("kms"), lambent.lambda_
    key = kms.create_key()["KeyMetadata"]
    name = lambent.python(
        SOURCE, Environment={"Variables": {"PASSWORD": "correct-horse"}}, KMSKeyArn=key["Arn"]
    )
    assert lambent.call(name) == "correct-horse"
    shown = client.get_function_configuration(FunctionName=name)
    assert shown["Environment"] == {"Variables": {"PASSWORD": "correct-horse"}}
    with sqlite3.connect(f"file:{lambent.data_dir}/lambent.db?mode=ro", uri=True) as database:
        (document,) = database.execute("SELECT document FROM functions WHERE name = ?", (name,)).fetchone()
    assert "correct-horse" not in document


def test_without_its_key_a_function_has_no_new_environment(lambent: Lambent) -> None:
    kms, client = lambent.client("kms"), lambent.lambda_
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    arn = kms.describe_key(KeyId=key_id)["KeyMetadata"]["Arn"]
    name = lambent.python(SOURCE, Environment={"Variables": {"PASSWORD": "x"}}, KMSKeyArn=arn)
    kms.disable_key(KeyId=key_id)
    with pytest.raises(client.exceptions.KMSDisabledException, match="the KMS key used is disabled"):
        client.invoke(FunctionName=name)
    error = client.get_function_configuration(FunctionName=name)["Environment"]["Error"]
    assert error["ErrorCode"] == "DisabledException"
    kms.enable_key(KeyId=key_id)
    assert eventually(lambda: lambent.call(name)) == "x"


def test_a_key_that_is_not_there_is_refused(lambent: Lambent) -> None:
    client = lambent.lambda_
    missing = f"arn:aws:kms:us-east-1:{lambent.account_id}:key/00000000-0000-0000-0000-000000000000"
    with pytest.raises(
        client.exceptions.InvalidParameterValueException, match="the KMS key used does not exist"
    ):
        lambent.python(SOURCE, Environment={"Variables": {"PASSWORD": "x"}}, KMSKeyArn=missing)
