"""The X.509 certificates of users, with which SOAP requests were signed. They are kept, and verify nothing."""

import secrets
import string
from collections.abc import Mapping
from dataclasses import replace

from cryptography.x509 import load_pem_x509_certificate

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.model.user import SigningCertificate, User
from lambent.services.iam.entities import Entities
from lambent.services.iam.errors import (
    DuplicateCertificate,
    LimitExceeded,
    MalformedCertificate,
)
from lambent.services.iam.holdings import Holdings
from lambent.services.iam.limits import CERTIFICATES_PER_USER
from lambent.services.iam.users import user_name

_ID_CHARACTERS = string.ascii_uppercase + string.digits
_ID_LENGTH = 32


class SigningCertificates:
    def __init__(self, users: Entities[User], clock: Clock) -> None:
        self._users = users
        self._clock = clock
        self._held: Holdings[SigningCertificate] = Holdings(
            users=users,
            noun="Certificate",
            id_member="CertificateId",
            of=lambda user: user.signing_certificates,
            put=lambda user, certificates: replace(user, signing_certificates=certificates),
        )

    def operations(self) -> Mapping[str, Operation]:
        return {
            "UploadSigningCertificate": self.upload,
            "UpdateSigningCertificate": self._held.update,
            "DeleteSigningCertificate": self._held.delete,
            "ListSigningCertificates": self.list,
        }

    async def upload(self, caller: Caller, parameters: Parameters) -> Parameters:
        name, body = user_name(caller, parameters), parameters["CertificateBody"]
        await self._users.find(caller, name)
        try:
            load_pem_x509_certificate(body.encode())
        except ValueError:
            raise MalformedCertificate(f"Certificate {body} is malformed.") from None
        certificate = SigningCertificate(
            id="".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH)),
            body=body,
            uploaded_at=float(int(self._clock.now())),
        )

        def edit(user: User) -> User:
            if any(other.body == body for other in user.signing_certificates):
                raise DuplicateCertificate(f"The certificate already exists for user {user.name}.")
            if len(user.signing_certificates) >= CERTIFICATES_PER_USER:
                raise LimitExceeded(f"Cannot exceed quota for CertificatesPerUser: {CERTIFICATES_PER_USER}")
            return replace(user, signing_certificates=(*user.signing_certificates, certificate))

        user = await self._users.change(caller, name, edit)
        return {"Certificate": _members(user, certificate)}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        user, certificates, paging = await self._held.page(caller, user_name(caller, parameters), parameters)
        return {"Certificates": [_members(user, one) for one in certificates], **paging}


def _members(user: User, certificate: SigningCertificate) -> Parameters:
    return {
        "UserName": user.name,
        "CertificateId": certificate.id,
        "CertificateBody": certificate.body,
        "Status": "Active" if certificate.active else "Inactive",
        "UploadDate": certificate.uploaded_at,
    }
