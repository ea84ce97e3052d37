"""Credentials that a process asks for when it needs them: what a snapshot was taken of must not hold any that run out.

Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html#snapstart-credentials and
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

import orjson

from lambent.base.ids import new_token
from lambent.environments.variables import RUNTIME_API_PORT
from lambent.http.message import Request, Response
from lambent.model.credential import Credential
from lambent.model.error import ServiceException

PATH = "/2021-04-23/credentials"


class ContainerCredentials:
    """What is at PATH of one environment, and of all copies of it. `issue` raises ServiceException."""

    def __init__(self, issue: Callable[[], Awaitable[Credential]]) -> None:
        self._issue = issue
        self._token = new_token()

    @property
    def variables(self) -> Mapping[str, str]:
        """In the place of the access key."""
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{RUNTIME_API_PORT}{PATH}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": self._token,
        }

    async def handle(self, request: Request) -> Response:
        if request.method != "GET":
            return _answer(405, {"code": "MethodNotAllowed", "message": "Credentials are read with GET."})
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode("latin-1"), self._token.encode()):
            return _answer(403, {"code": "AccessDenied", "message": "The authorization token is not right."})
        try:
            credential = await self._issue()
        except ServiceException as error:
            return _answer(400, {"code": error.code, "message": error.message})
        return _answer(200, _described(credential))


def _described(credential: Credential) -> dict[str, str | None]:
    expires = datetime.fromtimestamp(credential.expires_at or 0.0, UTC)
    return {
        "AccessKeyId": credential.access_key_id,
        "SecretAccessKey": credential.secret_access_key,
        "Token": credential.session_token,
        "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "RoleArn": credential.role_arn,
    }


def _answer(status: int, content: Mapping[str, str | None]) -> Response:
    return Response(status, [("Content-Type", "application/json")], orjson.dumps(content))
