import orjson
import pytest

from lambent.environments.container_credentials import PATH, ContainerCredentials
from lambent.http.message import Request
from lambent.model.credential import Credential
from lambent.model.error import AccessDeniedException

CREDENTIAL = Credential(
    access_key_id="ASIA1",
    secret_access_key="s",
    session_token="t",
    expires_at=3600.0,
    account_id="1",
    principal_arn="arn:aws:sts::1:assumed-role/r/f",
    user_id="AROA",
    role_arn="arn:aws:iam::1:role/r",
)


async def issue():
    return CREDENTIAL


async def refuse():
    raise AccessDeniedException("no")


async def ask(credentials, *, method="GET", token=None):
    token = credentials.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] if token is None else token
    answer = await credentials.handle(Request(method, PATH, PATH, "", {"authorization": token}, b""))
    return answer.status, orjson.loads(answer.body)


async def test_who_knows_the_token_gets_what_sdks_read():
    credentials = ContainerCredentials(issue)
    assert credentials.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] == f"http://127.0.0.1:9001{PATH}"
    assert await ask(credentials) == (
        200,
        {
            "AccessKeyId": "ASIA1",
            "SecretAccessKey": "s",
            "Token": "t",
            "Expiration": "1970-01-01T01:00:00Z",
            "RoleArn": "arn:aws:iam::1:role/r",
        },
    )


@pytest.mark.parametrize(
    ("method", "token", "status"), [("GET", "", 403), ("GET", "\xff", 403), ("POST", None, 405)]
)
async def test_nobody_else_does(method, token, status):
    assert (await ask(ContainerCredentials(issue), method=method, token=token))[0] == status


async def test_a_role_that_cannot_be_assumed_any_more_is_said():
    assert await ask(ContainerCredentials(refuse)) == (
        400,
        {"code": "AccessDeniedException", "message": "no"},
    )
