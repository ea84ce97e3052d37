import asyncio


async def test_what_was_put_first_is_what_all_get(stores):
    secrets = stores.shared_secrets
    assert await secrets.get("ca") is None
    stored = await asyncio.gather(*(secrets.put_first("ca", bytes([n])) for n in range(8)))
    assert len(set(stored)) == 1 and await secrets.get("ca") == stored[0]
    assert await secrets.get("other") is None


async def test_it_is_replaced_only_on_purpose(stores):
    secrets = stores.shared_secrets
    await secrets.put_first("ca", b"\x00one")
    await secrets.replace("ca", b"two")
    assert await secrets.put_first("ca", b"three") == b"two"
