"""The account's alias and its password policy."""

from collections.abc import Callable, Mapping

from lambent.model.caller import Caller, Parameters
from lambent.model.iam_account import IamAccount, PasswordPolicy
from lambent.model.service import Operation
from lambent.services.iam.errors import ConcurrentModification, EntityAlreadyExists, NoSuchEntity
from lambent.store.ports.errors import AlreadyExistsError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords

_ATTEMPTS = 20
_NONE = IamAccount()


class AccountSettings:
    def __init__(self, records: NamedRecords[IamAccount]) -> None:
        self._records = records

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateAccountAlias": self.create_alias,
            "ListAccountAliases": self.list_aliases,
            "DeleteAccountAlias": self.delete_alias,
            "GetAccountPasswordPolicy": self.get_password_policy,
            "UpdateAccountPasswordPolicy": self.update_password_policy,
            "DeleteAccountPasswordPolicy": self.delete_password_policy,
        }

    async def of(self, account_id: str) -> IamAccount:
        return await self._records.get(_name(account_id)) or _NONE

    async def create_alias(self, caller: Caller, parameters: Parameters) -> Parameters:
        """An account has one: another takes its place. No two accounts have the same."""
        alias = parameters["AccountAlias"]
        for name, account in await self._records.all():
            if account.alias == alias:
                if name.account_id == caller.account_id:
                    return {}
                raise EntityAlreadyExists(f"The account alias {alias} already exists.")
        await self._change(
            caller,
            lambda account: IamAccount(alias=alias, password_policy=account.password_policy),
        )
        return {}

    async def list_aliases(self, caller: Caller, parameters: Parameters) -> Parameters:
        alias = (await self.of(caller.account_id)).alias
        return {"AccountAliases": [] if alias is None else [alias], "IsTruncated": False}

    async def delete_alias(self, caller: Caller, parameters: Parameters) -> Parameters:
        alias = parameters["AccountAlias"]

        def edit(account: IamAccount) -> IamAccount:
            if account.alias != alias:
                raise NoSuchEntity(f"The account alias with name {alias} cannot be found.")
            return IamAccount(password_policy=account.password_policy)

        await self._change(caller, edit)
        return {}

    async def get_password_policy(self, caller: Caller, parameters: Parameters) -> Parameters:
        policy = (await self.of(caller.account_id)).password_policy
        if policy is None:
            raise NoSuchEntity(f"The Password Policy with domain name {caller.account_id} cannot be found.")
        return {"PasswordPolicy": _members(policy)}

    async def update_password_policy(self, caller: Caller, parameters: Parameters) -> Parameters:
        """What is not given has its default afterwards, whatever it was."""
        policy = PasswordPolicy(
            minimum_length=parameters.get("MinimumPasswordLength", 6),
            symbols=parameters.get("RequireSymbols", False),
            numbers=parameters.get("RequireNumbers", False),
            uppercase=parameters.get("RequireUppercaseCharacters", False),
            lowercase=parameters.get("RequireLowercaseCharacters", False),
            users_may_change=parameters.get("AllowUsersToChangePassword", False),
            max_age_days=parameters.get("MaxPasswordAge"),
            reuse_prevention=parameters.get("PasswordReusePrevention"),
            hard_expiry=parameters.get("HardExpiry"),
        )
        await self._change(caller, lambda account: IamAccount(alias=account.alias, password_policy=policy))
        return {}

    async def delete_password_policy(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(account: IamAccount) -> IamAccount:
            if account.password_policy is None:
                raise NoSuchEntity("The account policy with name PasswordPolicy cannot be found.")
            return IamAccount(alias=account.alias)

        await self._change(caller, edit)
        return {}

    async def _change(self, caller: Caller, edit: Callable[[IamAccount], IamAccount]) -> None:
        name = _name(caller.account_id)
        for _ in range(_ATTEMPTS):
            previous = await self._records.get(name)
            account = edit(previous or _NONE)
            try:
                if previous is None:
                    await self._records.insert(name, account)
                else:
                    await self._records.replace(name, account, previous=previous)
            except (AlreadyExistsError, StaleRevisionError):
                continue
            return
        raise ConcurrentModification("The account is being modified by other requests.")


def _name(account_id: str) -> Name:
    return Name(account_id, "", "", "settings")


def _members(policy: PasswordPolicy) -> Parameters:
    members: Parameters = {
        "MinimumPasswordLength": policy.minimum_length,
        "RequireSymbols": policy.symbols,
        "RequireNumbers": policy.numbers,
        "RequireUppercaseCharacters": policy.uppercase,
        "RequireLowercaseCharacters": policy.lowercase,
        "AllowUsersToChangePassword": policy.users_may_change,
        "ExpirePasswords": policy.max_age_days is not None,
    }
    given = {
        "MaxPasswordAge": policy.max_age_days,
        "PasswordReusePrevention": policy.reuse_prevention,
        "HardExpiry": policy.hard_expiry,
    }
    return members | {name: value for name, value in given.items() if value is not None}
