"""Who a caller or an access key is: GetCallerIdentity, GetAccessKeyInfo; GetSessionToken and GetFederationToken."""

from collections.abc import Mapping

from lambent.model.caller import Caller, Parameters
from lambent.model.credential import CredentialSource
from lambent.model.service import Operation
from lambent.model.user import is_user_arn
from lambent.services.sts.access_key_id import account_in
from lambent.services.sts.errors import AccessDenied, ValidationError
from lambent.services.sts.session_policies import session_policies
from lambent.services.sts.session_tags import parse_tags
from lambent.services.sts.sessions import SessionTokens
from lambent.services.sts.shapes import credentials_members

_ROOT_SESSION_SECONDS = 3600
_USER_SESSION_SECONDS = 43200
_WITHOUT_MFA = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},'
    '{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}'
)
"""AWS takes IAM away from sessions without MFA by rule; as a session policy the denial says so in words."""


_NO_IAM = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["iam:*","sts:Assume*"],"Resource":"*"}]}'
)


class Identity:
    def __init__(self, sessions: SessionTokens, credentials: CredentialSource) -> None:
        self._sessions = sessions
        self._credentials = credentials

    def operations(self) -> Mapping[str, Operation]:
        return {
            "GetCallerIdentity": self.caller_identity,
            "GetAccessKeyInfo": self.access_key_info,
            "GetSessionToken": self.session_token,
            "GetFederationToken": self.federation_token,
        }

    async def caller_identity(self, caller: Caller, parameters: Parameters) -> Parameters:
        return {"UserId": caller.user_id, "Account": caller.account_id, "Arn": caller.principal_arn}

    async def access_key_info(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Of a long-term key that exists, and of every access key id that contains its account."""
        key_id = parameters["AccessKeyId"]
        known = self._credentials.find(key_id, None)
        account = known.account_id if known else account_in(key_id)
        if account is None:
            raise ValidationError("Request is missing access key or the access key is invalid.")
        return {"Account": account}

    async def session_token(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Of a user, or of the account's root, for at most an hour: a longer duration becomes that."""
        if caller.access_key_id.startswith("ASIA"):
            raise AccessDenied("Cannot call GetSessionToken with session credentials")
        if "SerialNumber" in parameters or "TokenCode" in parameters:
            raise AccessDenied("MultiFactorAuthentication failed: Lambent has no MFA devices.")
        duration = parameters.get("DurationSeconds", _USER_SESSION_SECONDS)
        if not is_user_arn(caller.principal_arn):
            duration = min(duration, _ROOT_SESSION_SECONDS)
        credential = self._sessions.issue_own(
            caller,
            duration,
            session_policies=(_WITHOUT_MFA,),
            minimum_token_size=parameters.get("MinimumSessionTokenSize", 0),
        )
        return credentials_members(credential)

    async def federation_token(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Of somebody who may do what both the caller and the given policies allow: nothing, where none are given."""
        if caller.access_key_id.startswith("ASIA"):
            raise AccessDenied("Cannot call GetFederationToken with session credentials")
        name, tags = parameters["Name"], parse_tags(parameters.get("Tags", ()))
        policies, packed_percent = session_policies(caller.account_id, parameters, tags)
        duration = parameters.get("DurationSeconds", _USER_SESSION_SECONDS)
        if not is_user_arn(caller.principal_arn):
            duration = min(duration, _ROOT_SESSION_SECONDS)
        credential = self._sessions.issue_own(
            caller, duration, session_policies=(_NO_IAM, *policies), federated_name=name, tags=tags
        )
        return {
            **credentials_members(credential),
            "FederatedUser": {"FederatedUserId": credential.user_id, "Arn": credential.principal_arn},
            "PackedPolicySize": packed_percent,
        }
