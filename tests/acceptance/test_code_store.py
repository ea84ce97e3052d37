"""Functions' code from a store that the user has already: here, another Lambent."""

import pytest
from lambent_server import PYTHON, zip_of


def test_code_comes_from_the_other_store(new_server, tmp_path):
    store = new_server()
    keys = tmp_path / "store-credentials"
    keys.write_text(
        "[default]\n"
        f"aws_access_key_id = {store.server.access_key_id}\n"
        f"aws_secret_access_key = {store.server.secret_access_key}\n"
    )
    running = new_server("--s3-endpoint", store.endpoint, "--s3-credentials-file", str(keys))
    elsewhere = store.client("s3")
    elsewhere.create_bucket(Bucket="packages")
    code = zip_of({"index.py": "def handler(event, context): return 'from elsewhere'"})
    elsewhere.put_object(Bucket="packages", Key="f.zip", Body=code)

    def create(key: str) -> None:
        running.lambda_.create_function(
            FunctionName="f",
            Runtime=PYTHON,
            Handler="index.handler",
            Role=running.role,
            Code={"S3Bucket": "packages", "S3Key": key},
        )

    with pytest.raises(running.lambda_.exceptions.InvalidParameterValueException, match="NoSuchKey"):
        create("ghost.zip")
    create("f.zip")
    running.wait_active("f")
    assert running.call("f") == "from elsewhere"
    with pytest.raises(running.client("s3").exceptions.NoSuchBucket):
        running.client("s3").get_object(Bucket="packages", Key="f.zip")
