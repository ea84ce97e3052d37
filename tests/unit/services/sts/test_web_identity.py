"""AssumeRoleWithWebIdentity: whose token opens which role, and what is said to all others."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from memory_records import MemoryDeliveries, MemoryRecords

from lambent.base.clock import ManualClock
from lambent.http.client import RequestFailedError
from lambent.http.message import Response
from lambent.model.caller import Caller
from lambent.model.oidc import OidcProvider
from lambent.model.role import Role
from lambent.services.sts.errors import (
    AccessDenied,
    ExpiredTokenException,
    IDPCommunicationError,
    InvalidIdentityToken,
)
from lambent.services.sts.sessions import SessionTokens
from lambent.services.sts.web_identity import AssumeRoleWithWebIdentity
from lambent.store.ports.named_records import Name

NOW = 1_800_000_000.0
ISSUER = "https://issuer.example.com/ci"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/issuer.example.com/ci"
ROLE_ARN = "arn:aws:iam::123456789012:role/deploy"
NOBODY = Caller(
    account_id="", region="us-east-1", partition="aws", principal_arn="", user_id="", access_key_id=""
)
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def keys() -> dict[str, Any]:
    public, curve = RSA.public_key().public_numbers(), EC.public_key().public_numbers()
    point = {name: encoded(value.to_bytes(32, "big")) for name, value in (("x", curve.x), ("y", curve.y))}
    return {
        "keys": [
            {"kty": "RSA", "kid": "rsa", "use": "sig", "n": number(public.n), "e": number(public.e)},
            {"kty": "EC", "kid": "ec", "crv": "P-256", **point},
        ]
    }


def token(*, alg: str = "RS256", kid: str = "rsa", key: Any = RSA, **claims: Any) -> str:
    content = {
        "iss": ISSUER,
        "aud": "sts.amazonaws.com",
        "sub": "repo:me/it",
        "iat": NOW - 10,
        "exp": NOW + 300,
        **claims,
    }
    content = {name: value for name, value in content.items() if value is not None}
    head = {"alg": alg, "kid": kid, "typ": "JWT"}
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (head, content))
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(signed.encode(), padding.PKCS1v15(), SHA256())
    else:
        r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{signed}.{encoded(signature)}"


class OneRole:
    async def get(self, account_id: str, name: str) -> Role | None:
        condition = {
            "StringEquals": {"issuer.example.com/ci:aud": "sts.amazonaws.com"},
            "StringLike": {"issuer.example.com/ci:sub": "repo:me/*"},
        }
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }
        if (account_id, name) != ("123456789012", "deploy"):
            return None
        return Role(
            account_id=account_id,
            name=name,
            id="AROAEXAMPLE",
            created_at=0.0,
            trust_policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )


class World:
    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.providers = MemoryRecords(MemoryDeliveries())
        self.sessions = SessionTokens(bytes(32), self.clock)
        self.asked: list[str] = []
        self.documents: dict[str, Any] = {
            f"{ISSUER}/.well-known/openid-configuration": {"jwks_uri": "https://issuer.example.com/keys"},
            "https://issuer.example.com/keys": keys(),
        }
        self.assume = AssumeRoleWithWebIdentity(
            OneRole(),
            self.providers,
            self.sessions,
            self.clock,
            self.send,  # type: ignore[arg-type]
        )
        provider = OidcProvider(
            account_id="123456789012",
            url="issuer.example.com/ci",
            client_ids=("sts.amazonaws.com",),
            created_at=0.0,
        )
        self.providers.values[Name("123456789012", "", "", provider.url)] = provider

    async def send(self, method: str, url: str, **_: Any) -> Response:
        self.asked.append(url)
        document = self.documents.get(url)
        if document is None:
            raise RequestFailedError("refused")
        return Response(200, {}, json.dumps(document).encode())

    async def __call__(self, given: str, role_arn: str = ROLE_ARN, **more: Any) -> dict[str, Any]:
        asked = {"RoleArn": role_arn, "RoleSessionName": "run", "WebIdentityToken": given, **more}
        return await self.assume(NOBODY, asked)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("given", [{}, {"alg": "ES256", "kid": "ec", "key": EC}])
async def test_a_token_opens_the_role_that_trusts_its_issuer(world, given) -> None:
    answer = await world(token(**given))
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/deploy/run"
    assert answer["SubjectFromWebIdentityToken"] == "repo:me/it"
    assert answer["Provider"] == PROVIDER
    assert answer["Audience"] == "sts.amazonaws.com"
    made = answer["Credentials"]
    assert made["Expiration"] == NOW + 3600
    found = world.sessions.find(made["AccessKeyId"], made["SessionToken"])
    assert found.role_arn == ROLE_ARN


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            {"exp": NOW - 1},
            ExpiredTokenException,
            "Token expired: current date/time 1800000000 must be before",
        ),
        ({"exp": None}, InvalidIdentityToken, "Missing a required claim: exp"),
        ({"sub": None}, InvalidIdentityToken, "Missing a required claim: sub"),
        ({"nbf": NOW + 4000}, InvalidIdentityToken, "not valid yet"),
        ({"aud": "other"}, InvalidIdentityToken, "Incorrect token audience"),
        ({"azp": "other"}, InvalidIdentityToken, "Incorrect token audience"),
        (
            {"iss": "https://other.example.com"},
            InvalidIdentityToken,
            "No OpenIDConnect provider found in your account",
        ),
        ({"iss": "http://issuer.example.com/ci"}, InvalidIdentityToken, "No OpenIDConnect provider found"),
        ({"sub": "repo:them/it"}, AccessDenied, "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
        (
            {"key": rsa.generate_private_key(65537, 2048)},
            InvalidIdentityToken,
            "signature could not be verified",
        ),
        ({"alg": "RS512"}, InvalidIdentityToken, "signature could not be verified"),
        ({"alg": "none"}, InvalidIdentityToken, "signature could not be verified"),
        ({"alg": "HS256"}, InvalidIdentityToken, "signature could not be verified"),
        ({"kid": "ec"}, InvalidIdentityToken, "signature could not be verified"),
        ({"kid": "unknown"}, InvalidIdentityToken, "signature could not be verified"),
    ],
)
async def test_all_others_are_told_why_not(world, given, error, message) -> None:
    with pytest.raises(error, match=message):
        await world(token(**given))


@pytest.mark.parametrize("given", ["abcd", "a.b.c", "e30.e30.e30", "e30.e30", "W10.e30.", "\u00e9.e30.e30"])
async def test_what_is_no_token(world, given) -> None:
    with pytest.raises(InvalidIdentityToken, match="The ID Token provided is not a valid JWT"):
        await world(given)


async def test_a_changed_token_is_refused(world) -> None:
    head, claims, signature = token().split(".")
    content = json.loads(base64.urlsafe_b64decode(claims + "=="))
    forged = encoded(json.dumps({**content, "sub": "repo:me/other"}).encode())
    with pytest.raises(InvalidIdentityToken, match="signature"):
        await world(f"{head}.{forged}.{signature}")


async def test_a_role_that_is_not_there_is_refused_like_one_that_trusts_another(world) -> None:
    with pytest.raises(AccessDenied, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        await world(token(), "arn:aws:iam::123456789012:role/none")
    with pytest.raises(InvalidIdentityToken, match="No OpenIDConnect provider found"):
        await world(token(), "arn:aws:iam::999999999999:role/deploy")


async def test_keys_are_asked_for_once_and_again_for_a_new_one(world) -> None:
    await world(token())
    await world(token())
    assert len(world.asked) == 2
    published = world.documents["https://issuer.example.com/keys"]["keys"]
    published.append({**published[0], "kid": "new"})
    with pytest.raises(InvalidIdentityToken):
        await world(token(kid="new"))
    assert len(world.asked) == 2
    world.clock.advance(11)
    await world(token(kid="new"))
    assert len(world.asked) == 4


async def test_an_issuer_that_cannot_be_reached_or_publishes_no_keys(world) -> None:
    world.documents["https://issuer.example.com/keys"] = {"keys": 5}
    with pytest.raises(InvalidIdentityToken, match="Couldn't retrieve verification key"):
        await world(token())
    world.documents.clear()
    with pytest.raises(IDPCommunicationError):
        await world(token())
