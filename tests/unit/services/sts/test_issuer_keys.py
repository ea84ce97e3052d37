"""The keys of issuers: how often they are asked for them."""

import asyncio
import json
from typing import Any

from lambent.base.clock import ManualClock
from lambent.http.message import Response
from lambent.services.sts.issuer_keys import IssuerKeys

ISSUER = "https://issuer.example.com"


async def test_an_issuer_is_asked_once_for_all_who_wait():
    asked: list[str] = []

    async def send(method: str, url: str, **_: Any) -> Response:
        asked.append(url)
        await asyncio.sleep(0)
        content = (
            {"jwks_uri": f"{ISSUER}/keys"} if url.endswith("configuration") else {"keys": [{"kid": "a"}]}
        )
        return Response(200, [], json.dumps(content).encode())

    keys = IssuerKeys(send, ManualClock())
    found = await asyncio.gather(*(keys.of(ISSUER, name) for name in ("a", "b", "a")))
    assert [len(one) for one in found] == [1, 0, 1]
    assert asked == [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/keys"]
