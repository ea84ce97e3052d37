"""OpenID Connect providers, as their tests against AWS recorded it."""

import pytest

from lambent.services.iam.errors import (
    EntityAlreadyExists,
    InvalidInput,
    LimitExceeded,
    NoSuchEntity,
    ValidationError,
)

URL = "https://token.example.com/path"


async def made(iam, url=URL, **members) -> str:
    given = {"Url": url, "ThumbprintList": ["a" * 40], **members}
    return (await iam("CreateOpenIDConnectProvider", **given))["OpenIDConnectProviderArn"]


async def test_it_is_answered_as_it_was_made(iam, root) -> None:
    arn = await made(iam, ClientIDList=["one"])
    assert arn == f"arn:aws:iam::{root.account_id}:oidc-provider/token.example.com/path"
    found = await iam("GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
    assert found.pop("CreateDate")
    assert found == {
        "Url": "token.example.com/path",
        "ClientIDList": ["one"],
        "ThumbprintList": ["a" * 40],
        "Tags": [],
    }
    assert await iam("ListOpenIDConnectProviders") == {"OpenIDConnectProviderList": [{"Arn": arn}]}
    with pytest.raises(EntityAlreadyExists, match=f"Provider with url {URL} already exists."):
        await made(iam)
    await iam("DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
    with pytest.raises(NoSuchEntity, match=f"OpenId connect Provider {arn} cannot be found."):
        await iam("DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
    with pytest.raises(NoSuchEntity, match=f"OpenIDConnect Provider not found for arn {arn}"):
        await iam("GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)


@pytest.mark.parametrize(
    "url", ["example.org", "http://example.org", "https://", "https://a.org/?x=1", "https://u@a.org"]
)
async def test_what_is_no_url(iam, url) -> None:
    with pytest.raises(ValidationError, match="Invalid Open ID Connect Provider URL"):
        await made(iam, url)


async def test_limits(iam) -> None:
    with pytest.raises(InvalidInput, match="Thumbprint list must contain fewer than 5 entries"):
        await made(iam, ThumbprintList=["a" * 40] * 6)
    ids = [str(number) for number in range(101)]
    quota = "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"
    with pytest.raises(LimitExceeded, match=quota):
        await made(iam, ClientIDList=ids)
    arn = await made(iam, ClientIDList=ids[:100])
    with pytest.raises(LimitExceeded, match=quota):
        await iam("AddClientIDToOpenIDConnectProvider", OpenIDConnectProviderArn=arn, ClientID="more")
    await iam("AddClientIDToOpenIDConnectProvider", OpenIDConnectProviderArn=arn, ClientID="0")
    await iam("RemoveClientIDFromOpenIDConnectProvider", OpenIDConnectProviderArn=arn, ClientID="0")
    await iam("AddClientIDToOpenIDConnectProvider", OpenIDConnectProviderArn=arn, ClientID="more")


async def test_changes(iam) -> None:
    arn = await made(iam, Tags=[{"Key": "k1", "Value": "v1"}])
    named = {"OpenIDConnectProviderArn": arn}
    await iam("UpdateOpenIDConnectProviderThumbprint", **named, ThumbprintList=["b" * 40])
    await iam("TagOpenIDConnectProvider", **named, Tags=[{"Key": "k2", "Value": "v2"}])
    first = await iam("ListOpenIDConnectProviderTags", **named, MaxItems=1)
    assert first["IsTruncated"]
    rest = await iam("ListOpenIDConnectProviderTags", **named, Marker=first["Marker"])
    assert first["Tags"] + rest["Tags"] == [{"Key": "k1", "Value": "v1"}, {"Key": "k2", "Value": "v2"}]
    await iam("UntagOpenIDConnectProvider", **named, TagKeys=["k1"])
    found = await iam("GetOpenIDConnectProvider", **named)
    assert found["Tags"] == [{"Key": "k2", "Value": "v2"}]
    assert found["ThumbprintList"] == ["b" * 40]
    for arn in ("arn:aws:iam::123456789012:role/x", "nothing-of-the-kind-at-all"):
        with pytest.raises(InvalidInput):
            await iam("GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
