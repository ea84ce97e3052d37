"""The passwords of users. Nobody signs in with one here: they are kept for the tools that set them, by their hash."""

import asyncio
import hashlib
import hmac
import secrets
import string
from collections.abc import Mapping
from dataclasses import replace

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.iam_account import PasswordPolicy
from lambent.model.service import Operation
from lambent.model.user import LoginProfile, User, is_user_arn
from lambent.services.iam.account_settings import AccountSettings
from lambent.services.iam.entities import Entities
from lambent.services.iam.errors import (
    AccessDenied,
    EntityAlreadyExists,
    InvalidUserType,
    NoSuchEntity,
    PasswordPolicyViolation,
)
from lambent.services.iam.users import user_name

_DEFAULT = PasswordPolicy(minimum_length=8)
_EARLIER_MOST = 24
_SCRYPT = {"n": 2**14, "r": 8, "p": 1}


class LoginProfiles:
    def __init__(self, users: Entities[User], account: AccountSettings, clock: Clock) -> None:
        self._users = users
        self._account = account
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateLoginProfile": self.create,
            "GetLoginProfile": self.get,
            "UpdateLoginProfile": self.update,
            "DeleteLoginProfile": self.delete,
            "ChangePassword": self.change_password,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        user = await self._users.find(caller, user_name(caller, parameters))
        if user.login_profile is not None:
            raise EntityAlreadyExists(f"Login Profile for user {user.name} already exists.")
        if "Password" not in parameters:
            raise PasswordPolicyViolation("A password must be specified.")
        profile = LoginProfile(
            password=await self._new(caller, parameters["Password"], ()),
            reset_required=parameters.get("PasswordResetRequired", False),
            created_at=float(int(self._clock.now())),
        )

        def edit(user: User) -> User:
            if user.login_profile is not None:
                raise EntityAlreadyExists(f"Login Profile for user {user.name} already exists.")
            return replace(user, login_profile=profile)

        user = await self._users.change(caller, user.name, edit)
        return {"LoginProfile": _members(user, profile)}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        user = await self._users.find(caller, user_name(caller, parameters))
        return {"LoginProfile": _members(user, _of(user))}

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        held = _of(await self._users.find(caller, parameters["UserName"]))
        password = None
        if "Password" in parameters:
            password = await self._new(caller, parameters["Password"], (held.password, *held.earlier))

        def edit(user: User) -> User:
            profile = _of(user)
            if password is not None:
                profile = _changed(profile, password)
            reset = parameters.get("PasswordResetRequired", profile.reset_required)
            return replace(user, login_profile=replace(profile, reset_required=reset))

        await self._users.change(caller, parameters["UserName"], edit)
        return {}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(user: User) -> User:
            _of(user)
            return replace(user, login_profile=None)

        await self._users.change(caller, user_name(caller, parameters), edit)
        return {}

    async def change_password(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Of the caller's own."""
        if not is_user_arn(caller.principal_arn):
            raise InvalidUserType("Only IAM Users can change their own password")
        name = caller.principal_arn.rpartition("/")[2]
        profile = _of(await self._users.find(caller, name))
        if not await _matches(parameters["OldPassword"], profile.password):
            raise AccessDenied("The old password was incorrect.")
        password = await self._new(caller, parameters["NewPassword"], (profile.password, *profile.earlier))

        def edit(user: User) -> User:
            return replace(user, login_profile=replace(_changed(_of(user), password), reset_required=False))

        await self._users.change(caller, name, edit)
        return {}

    async def _new(self, caller: Caller, password: str, earlier: tuple[str, ...]) -> str:
        """Raises PasswordPolicyViolation."""
        policy = (await self._account.of(caller.account_id)).password_policy or _DEFAULT
        _check(password, policy)
        for hashed in earlier[: policy.reuse_prevention or 0]:
            if await _matches(password, hashed):
                raise PasswordPolicyViolation("Password does not conform to the account password policy.")
        return await _hashed(password, secrets.token_hex(16))


def _of(user: User) -> LoginProfile:
    if user.login_profile is None:
        raise NoSuchEntity(f"Login Profile for User {user.name} cannot be found.")
    return user.login_profile


def _changed(profile: LoginProfile, password: str) -> LoginProfile:
    return replace(profile, password=password, earlier=(profile.password, *profile.earlier)[:_EARLIER_MOST])


def _check(password: str, policy: PasswordPolicy) -> None:
    if len(password) < policy.minimum_length:
        raise PasswordPolicyViolation(f"Password should have a minimum length of {policy.minimum_length}")
    wanted = (
        (policy.symbols, string.punctuation, "symbol"),
        (policy.numbers, string.digits, "number"),
        (policy.uppercase, string.ascii_uppercase, "uppercase letter"),
        (policy.lowercase, string.ascii_lowercase, "lowercase letter"),
    )
    for required, characters, what in wanted:
        if required and not set(characters) & set(password):
            raise PasswordPolicyViolation(f"Password should have at least one {what}")


async def _hashed(password: str, salt: str) -> str:
    digest = await asyncio.to_thread(hashlib.scrypt, password.encode(), salt=bytes.fromhex(salt), **_SCRYPT)
    return f"{salt}:{digest.hex()}"


async def _matches(password: str, hashed: str) -> bool:
    return hmac.compare_digest(await _hashed(password, hashed.partition(":")[0]), hashed)


def _members(user: User, profile: LoginProfile) -> Parameters:
    return {
        "UserName": user.name,
        "CreateDate": profile.created_at,
        "PasswordResetRequired": profile.reset_required,
    }
