"""The account's alias and password policy, and the passwords of users."""

import dataclasses

import pytest

from lambent.services.iam.errors import (
    AccessDenied,
    DeleteConflict,
    EntityAlreadyExists,
    InvalidUserType,
    NoSuchEntity,
    PasswordPolicyViolation,
)

PASSWORD = "Correct-horse-1"


async def test_an_account_has_one_alias_and_no_other_account_has_it(iam, root) -> None:
    assert (await iam("ListAccountAliases"))["AccountAliases"] == []
    await iam("CreateAccountAlias", AccountAlias="first")
    await iam("CreateAccountAlias", AccountAlias="first")
    await iam("CreateAccountAlias", AccountAlias="second")
    assert await iam("ListAccountAliases") == {"AccountAliases": ["second"], "IsTruncated": False}
    other = dataclasses.replace(root, account_id="999999999999")
    with pytest.raises(EntityAlreadyExists, match="The account alias second already exists"):
        await iam("CreateAccountAlias", other, AccountAlias="second")
    with pytest.raises(NoSuchEntity):
        await iam("DeleteAccountAlias", AccountAlias="first")
    await iam("DeleteAccountAlias", AccountAlias="second")
    assert (await iam("ListAccountAliases"))["AccountAliases"] == []


async def test_a_password_policy_is_replaced_as_a_whole(iam, root) -> None:
    missing = f"The Password Policy with domain name {root.account_id} cannot be found."
    with pytest.raises(NoSuchEntity, match=missing):
        await iam("GetAccountPasswordPolicy")
    with pytest.raises(NoSuchEntity, match="The account policy with name PasswordPolicy cannot be found"):
        await iam("DeleteAccountPasswordPolicy")
    await iam("CreateAccountAlias", AccountAlias="alias")
    await iam(
        "UpdateAccountPasswordPolicy",
        MinimumPasswordLength=10,
        RequireNumbers=True,
        MaxPasswordAge=60,
        PasswordReusePrevention=3,
        HardExpiry=True,
    )
    policy = (await iam("GetAccountPasswordPolicy"))["PasswordPolicy"]
    assert policy == {
        "MinimumPasswordLength": 10,
        "RequireSymbols": False,
        "RequireNumbers": True,
        "RequireUppercaseCharacters": False,
        "RequireLowercaseCharacters": False,
        "AllowUsersToChangePassword": False,
        "ExpirePasswords": True,
        "MaxPasswordAge": 60,
        "PasswordReusePrevention": 3,
        "HardExpiry": True,
    }
    await iam("UpdateAccountPasswordPolicy")
    policy = (await iam("GetAccountPasswordPolicy"))["PasswordPolicy"]
    assert policy["MinimumPasswordLength"] == 6
    assert policy.keys().isdisjoint({"MaxPasswordAge", "PasswordReusePrevention", "HardExpiry"})
    await iam("DeleteAccountPasswordPolicy")
    assert (await iam("ListAccountAliases"))["AccountAliases"] == ["alias"]


async def test_a_login_profile(iam) -> None:
    await iam("CreateUser", UserName="u")
    with pytest.raises(NoSuchEntity, match="Login Profile for User u cannot be found"):
        await iam("GetLoginProfile", UserName="u")
    made = (await iam("CreateLoginProfile", UserName="u", Password=PASSWORD))["LoginProfile"]
    assert made["UserName"] == "u"
    assert made["PasswordResetRequired"] is False
    with pytest.raises(EntityAlreadyExists, match="Login Profile for user u already exists"):
        await iam("CreateLoginProfile", UserName="u", Password=PASSWORD)
    await iam("UpdateLoginProfile", UserName="u", PasswordResetRequired=True)
    assert (await iam("GetLoginProfile", UserName="u"))["LoginProfile"]["PasswordResetRequired"] is True
    with pytest.raises(DeleteConflict, match="login profile"):
        await iam("DeleteUser", UserName="u")
    await iam("DeleteLoginProfile", UserName="u")
    with pytest.raises(NoSuchEntity):
        await iam("DeleteLoginProfile", UserName="u")
    await iam("DeleteUser", UserName="u")


async def test_passwords_keep_the_policy(iam) -> None:
    await iam("CreateUser", UserName="u")
    with pytest.raises(PasswordPolicyViolation, match="minimum length of 8"):
        await iam("CreateLoginProfile", UserName="u", Password="short")
    await iam("UpdateAccountPasswordPolicy", RequireSymbols=True, PasswordReusePrevention=1)
    with pytest.raises(PasswordPolicyViolation, match="at least one symbol"):
        await iam("CreateLoginProfile", UserName="u", Password="Nosymbol1")
    await iam("CreateLoginProfile", UserName="u", Password=PASSWORD)
    with pytest.raises(PasswordPolicyViolation, match="account password policy"):
        await iam("UpdateLoginProfile", UserName="u", Password=PASSWORD)
    await iam("UpdateLoginProfile", UserName="u", Password=PASSWORD + "2")
    await iam("UpdateLoginProfile", UserName="u", Password=PASSWORD)


async def test_users_change_their_own_password_and_nobody_elses(iam, root, people) -> None:
    await iam("CreateUser", UserName="u")
    await iam("CreateLoginProfile", UserName="u", Password=PASSWORD, PasswordResetRequired=True)
    (user,) = people.users.values.values()
    assert PASSWORD not in user.login_profile.password
    caller = dataclasses.replace(root, principal_arn=f"arn:aws:iam::{root.account_id}:user/u")
    with pytest.raises(InvalidUserType):
        await iam("ChangePassword", OldPassword=PASSWORD, NewPassword="another-one")
    with pytest.raises(AccessDenied):
        await iam("ChangePassword", caller, OldPassword="wrong", NewPassword="another-one")
    await iam("ChangePassword", caller, OldPassword=PASSWORD, NewPassword="another-one")
    assert (await iam("GetLoginProfile", UserName="u"))["LoginProfile"]["PasswordResetRequired"] is False
    with pytest.raises(AccessDenied):
        await iam("ChangePassword", caller, OldPassword=PASSWORD, NewPassword="yet-another-one")
