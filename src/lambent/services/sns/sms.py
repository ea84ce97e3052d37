"""Text messages: their settings, and who does not want any.

No message leaves this server but through a gateway of its operator: an HTTP endpoint that is sent each as JSON. Nobody
can answer it, so that no number is ever opted out.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-mobile-phone-number-as-subscriber.html
"""

import json
from collections.abc import Mapping
from typing import Any

from lambent.model.caller import Caller, Parameters
from lambent.model.delivery import Delivery
from lambent.model.service import Operation
from lambent.model.sms import SmsSettings
from lambent.services.sns.endpoints import is_phone_number
from lambent.services.sns.errors import invalid
from lambent.services.sns.posting import Send, post
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords
from lambent.targets.failure import DeliveryFailedError

_OFFERED = ("DefaultSMSType", "DefaultSenderID", "MonthlySpendLimit")
_NOT_OFFERED = ("DeliveryStatusIAMRole", "DeliveryStatusSuccessSamplingRate", "UsageReportS3Bucket")
_TYPES = ("Promotional", "Transactional")
_OF_MESSAGES = "AWS.SNS.SMS."


class SmsOperations:
    def __init__(self, settings: NamedRecords[SmsSettings]) -> None:
        self._settings = settings

    def operations(self) -> Mapping[str, Operation]:
        return {
            "SetSMSAttributes": self.set_attributes,
            "GetSMSAttributes": self.get_attributes,
            "CheckIfPhoneNumberIsOptedOut": self.check_if_opted_out,
            "ListPhoneNumbersOptedOut": self.list_opted_out,
            "OptInPhoneNumber": self.opt_in,
            "GetSMSSandboxAccountStatus": self.get_sandbox_status,
            "ListOriginationNumbers": self.list_origination_numbers,
        }

    async def set_attributes(self, caller: Caller, parameters: Parameters) -> Parameters:
        given: Mapping[str, str] = parameters["attributes"]
        for name, value in given.items():
            _check(name, value)
        place = _place(caller.account_id, caller.region)
        while True:
            previous = await self._settings.get(place)
            try:
                if previous is None:
                    await self._settings.insert(place, SmsSettings(attributes=given))
                else:
                    changed = SmsSettings(attributes={**previous.attributes, **given})
                    await self._settings.replace(place, changed, previous=previous)
                return {}
            except (AlreadyExistsError, NotFoundError, StaleRevisionError):
                continue  # another was quicker

    async def get_attributes(self, caller: Caller, parameters: Parameters) -> Parameters:
        has = await self.attributes(caller.account_id, caller.region)
        wanted = parameters.get("attributes") or has
        return {"attributes": {name: value for name, value in has.items() if name in wanted}}

    async def check_if_opted_out(self, caller: Caller, parameters: Parameters) -> Parameters:
        _require_number(parameters["phoneNumber"])
        return {"isOptedOut": False}

    async def list_opted_out(self, caller: Caller, parameters: Parameters) -> Parameters:
        return {"phoneNumbers": []}

    async def opt_in(self, caller: Caller, parameters: Parameters) -> Parameters:
        _require_number(parameters["phoneNumber"])
        return {}

    async def get_sandbox_status(self, caller: Caller, parameters: Parameters) -> Parameters:
        return {"IsInSandbox": False}

    async def list_origination_numbers(self, caller: Caller, parameters: Parameters) -> Parameters:
        return {"PhoneNumbers": []}

    async def attributes(self, account_id: str, region: str) -> Mapping[str, str]:
        found = await self._settings.get(_place(account_id, region))
        return {} if found is None else found.attributes


class TextMessages:
    """Posts them to the gateway."""

    def __init__(self, gateway: str | None, send: Send, settings: SmsOperations) -> None:
        self._gateway = gateway
        self._send = send
        self._settings = settings

    async def send(self, delivery: Delivery) -> None:
        """Raises DeliveryFailedError."""
        if self._gateway is None:
            raise DeliveryFailedError(
                "NO_RESOURCE", "The setting sms_gateway names no gateway for text messages."
            )
        defaults = await self._settings.attributes(delivery.account_id, delivery.region)
        headers = {"Content-Type": "application/json"}
        await post(self._send, self._gateway, headers, sms_request(delivery, defaults))


def sms_request(delivery: Delivery, defaults: Mapping[str, str]) -> bytes:
    """What the gateway is sent: the number, the text, and what message and account say of how to send it."""
    attributes: Mapping[str, Mapping[str, Any]] = delivery.target.get("Attributes") or {}
    said = {
        name.removeprefix(_OF_MESSAGES): one.get("StringValue")
        for name, one in attributes.items()
        if name.startswith(_OF_MESSAGES)
    }
    members = {
        "PhoneNumber": delivery.target["Endpoint"],
        "Message": delivery.payload.decode(),
        "MessageId": delivery.target["MessageId"],
        "SMSType": said.get("SMSType") or defaults.get("DefaultSMSType", "Promotional"),
        "SenderID": said.get("SenderID") or defaults.get("DefaultSenderID"),
        "MaxPrice": said.get("MaxPrice"),
    }
    return json.dumps({name: value for name, value in members.items() if value is not None}).encode()


def _check(name: str, value: str) -> None:
    if name in _NOT_OFFERED:
        if value:
            raise invalid(f"attributes Reason: Lambent does not offer {name}")
    elif name not in _OFFERED:
        raise invalid(f"{name} is not a valid attribute")
    elif name == "DefaultSMSType" and value not in _TYPES:
        raise invalid(f"DefaultSMSType Reason: {value} is neither Promotional nor Transactional")
    elif name == "MonthlySpendLimit" and not (value.isascii() and value.isdigit()):
        raise invalid("MonthlySpendLimit Reason: must be a whole number")


def _require_number(number: str) -> None:
    if not is_phone_number(number):
        raise invalid("PhoneNumber Reason: input incorrectly formatted")


def _place(account_id: str, region: str) -> Name:
    return Name(account_id, region, "", "attributes")
