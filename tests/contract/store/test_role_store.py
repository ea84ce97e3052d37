from dataclasses import replace

import pytest

from lambent.model.role import ManagedPolicy, PolicyVersion, Role
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError

ACCOUNT = "123456789012"
POLICY_ARN = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def role_of(name: str, path: str = "/", **settings: object) -> Role:
    return Role(
        account_id=ACCOUNT,
        name=name,
        path=path,
        id="AROA1",
        trust_policy="{}",
        created_at=1.25,
        **settings,  # type: ignore[arg-type]
    )


def policy_of(name: str, path: str = "/") -> ManagedPolicy:
    version = PolicyVersion(id="v1", document="{}", created_at=1.0)
    return ManagedPolicy(
        account_id=ACCOUNT,
        name=name,
        path=path,
        id="ANPA1",
        created_at=1,
        updated_at=1.0,
        versions=(version,),
    )


async def test_a_role_is_found_whatever_its_case_and_keeps_its_own(stores):
    role = role_of("MyRole", "/p/", inline_policies={"i": "{}"}, tags={"k": "v"})
    await stores.roles.insert(role)
    assert await stores.roles.get(ACCOUNT, "myROLE") == role
    assert await stores.roles.get("999999999999", "MyRole") is None
    with pytest.raises(AlreadyExistsError):
        await stores.roles.insert(role_of("MYROLE", "/elsewhere/"))
    await stores.roles.delete(ACCOUNT, "myrole")
    with pytest.raises(NotFoundError):
        await stores.roles.delete(ACCOUNT, "MyRole")


async def test_a_role_is_replaced_by_comparison(stores):
    role = role_of("r")
    await stores.roles.insert(role)
    changed = replace(role, description="new")
    await stores.roles.replace(changed, previous=role)
    with pytest.raises(StaleRevisionError):
        await stores.roles.replace(replace(role, description="other"), previous=role)
    assert await stores.roles.get(ACCOUNT, "r") == changed
    with pytest.raises(NotFoundError):
        await stores.roles.replace(role_of("x"), previous=role_of("x"))


async def test_roles_are_paged_by_name_below_a_path(stores):
    for name, path in (("b", "/p/q/"), ("a", "/p/"), ("C", "/p/"), ("d", "/"), ("e", "/p%/")):
        await stores.roles.insert(role_of(name, path))

    async def names(path_prefix: str = "/", after: str | None = None, limit: int = 9) -> list[str]:
        page = await stores.roles.page(ACCOUNT, path_prefix=path_prefix, after=after, limit=limit)
        return [role.name for role in page]

    assert await names() == ["a", "b", "C", "d", "e"]
    assert await names("/p/") == ["a", "b", "C"]
    assert await names("/p%/") == ["e"]
    assert await names(after="b", limit=2) == ["C", "d"]


async def test_the_roles_that_a_policy_is_attached_to(stores):
    for name in ("b", "a", "c"):
        await stores.roles.insert(role_of(name, attached_policies=(POLICY_ARN,)))

    async def attached() -> list[str]:
        return [role.name for role in await stores.roles.attached_roles(ACCOUNT, POLICY_ARN)]

    assert await attached() == ["a", "b", "c"]
    await stores.roles.delete(ACCOUNT, "A")
    before = await stores.roles.get(ACCOUNT, "b")
    await stores.roles.replace(replace(before, attached_policies=("arn:other",)), previous=before)
    assert await attached() == ["c"]
    assert await stores.roles.attached_roles("999999999999", POLICY_ARN) == []


async def test_policies(stores):
    policy = policy_of("P", "/x/")
    await stores.roles.insert_policy(policy)
    assert await stores.roles.get_policy(ACCOUNT, "p") == policy
    with pytest.raises(AlreadyExistsError):
        await stores.roles.insert_policy(policy_of("p"))
    changed = replace(policy, default_version_id="v2")
    await stores.roles.replace_policy(changed, previous=policy)
    with pytest.raises(StaleRevisionError):
        await stores.roles.replace_policy(policy, previous=policy)
    await stores.roles.insert_policy(policy_of("a"))
    page = await stores.roles.page_policies(ACCOUNT, path_prefix="/", after=None, limit=9)
    assert page == [policy_of("a"), changed]
    assert await stores.roles.page_policies(ACCOUNT, path_prefix="/x/", after="P", limit=9) == []
    await stores.roles.delete_policy(ACCOUNT, "P")
    with pytest.raises(NotFoundError):
        await stores.roles.delete_policy(ACCOUNT, "P")
    with pytest.raises(NotFoundError):
        await stores.roles.replace_policy(policy, previous=policy)
