"""Delivery destinations, and the sources and deliveries that there are none of.

No service here delivers logs of its own, so whatever is named as a source is answered as AWS answers for a service that
cannot be one.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDeliveryDestination.html, and what
was recorded from AWS.
"""

from collections.abc import Callable
from dataclasses import replace

from lambent.base.arn import Arn, partition_of
from lambent.model.caller import Caller, Parameters
from lambent.model.log_delivery_destination import LogDeliveryDestination
from lambent.model.service import Operation
from lambent.services.logs import tokens
from lambent.services.logs.exceptions import ResourceNotFoundException, ValidationException
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords

_KINDS = {"s3": "S3", "logs": "CWL"}
"""Of a destination, by the service of its resource."""
_PAGE_MOST = 50

Change = Callable[[LogDeliveryDestination | None], LogDeliveryDestination]


class DeliveryOperations:
    def __init__(self, records: NamedRecords[LogDeliveryDestination]) -> None:
        self._records = records

    def operations(self) -> dict[str, Operation]:
        return {
            "PutDeliveryDestination": self.put,
            "GetDeliveryDestination": self.get,
            "DescribeDeliveryDestinations": self.describe,
            "DeleteDeliveryDestination": self.delete,
            "PutDeliveryDestinationPolicy": self.put_policy,
            "GetDeliveryDestinationPolicy": self.get_policy,
            "DeleteDeliveryDestinationPolicy": self.delete_policy,
            "PutDeliverySource": no_source_of_service,
            "GetDeliverySource": no_source,
            "DescribeDeliverySources": none_of("deliverySources"),
            "DeleteDeliverySource": no_source,
            "CreateDelivery": no_source,
            "DescribeDeliveries": none_of("deliveries"),
            "DescribeDestinations": none_of("destinations"),
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters.get("deliveryDestinationConfiguration", {}).get("destinationResourceArn", "")
        kind = _kind(arn)
        if parameters.get("deliveryDestinationType", kind) != kind:
            raise ValidationException("The type of the delivery destination is not that of its resource.")
        if parameters.get("roleArn"):
            raise ValidationException("Lambent delivers no logs with a role: leave out roleArn.")

        def changed(previous: LogDeliveryDestination | None) -> LogDeliveryDestination:
            given = parameters.get("outputFormat")
            made = previous or LogDeliveryDestination(resource_arn=arn, kind=kind)
            return replace(
                made,
                resource_arn=arn,
                kind=kind,
                output_format=given or made.output_format,
                tags=parameters.get("tags", made.tags),
            )

        name = _name(caller, parameters["name"])
        answer = _described(caller, name, await self._change(name, changed))
        return {"deliveryDestination": {key: value for key, value in answer.items() if key != "tags"}}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = _name(caller, parameters["name"])
        return {"deliveryDestination": _described(caller, name, await self._require(name))}

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        after = tokens.decode(parameters["nextToken"], str) if "nextToken" in parameters else ""
        names, most = parameters.get("names"), parameters.get("limit", _PAGE_MOST)
        told: list[Parameters] = []
        while page := await self._records.page(
            caller.account_id, caller.region, after=("", after), limit=_PAGE_MOST
        ):
            for name, found in page:
                if names is not None and name.name not in names:
                    continue
                if len(told) == most:
                    return {"deliveryDestinations": told, "nextToken": tokens.encode(told[-1]["name"])}
                told.append(_described(caller, name, found))
            after = page[-1][0].name
        return {"deliveryDestinations": told}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        try:
            await self._records.delete(_name(caller, parameters["name"]))
        except NotFoundError:
            raise _missing() from None
        return {}

    async def put_policy(self, caller: Caller, parameters: Parameters) -> Parameters:
        policy = parameters["deliveryDestinationPolicy"]
        await self._set_policy(caller, parameters, policy)
        return {"policy": {"deliveryDestinationPolicy": policy}}

    async def get_policy(self, caller: Caller, parameters: Parameters) -> Parameters:
        policy = (await self._require(_name(caller, parameters["deliveryDestinationName"]))).policy
        return {"policy": {} if policy is None else {"deliveryDestinationPolicy": policy}}

    async def delete_policy(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._set_policy(caller, parameters, None)
        return {}

    async def _set_policy(self, caller: Caller, parameters: Parameters, policy: str | None) -> None:
        def changed(previous: LogDeliveryDestination | None) -> LogDeliveryDestination:
            if previous is None:
                raise _missing()
            return replace(previous, policy=policy)

        await self._change(_name(caller, parameters["deliveryDestinationName"]), changed)

    async def _require(self, name: Name) -> LogDeliveryDestination:
        found = await self._records.get(name)
        if found is None:
            raise _missing()
        return found

    async def _change(self, name: Name, changed: Change) -> LogDeliveryDestination:
        while True:
            previous = await self._records.get(name)
            made = changed(previous)
            try:
                if previous is None:
                    await self._records.insert(name, made)
                else:
                    await self._records.replace(name, made, previous=previous)
            except (AlreadyExistsError, NotFoundError, StaleRevisionError):
                continue  # somebody else changed it meanwhile
            return made


async def no_source_of_service(caller: Caller, parameters: Parameters) -> Parameters:
    raise ResourceNotFoundException("Cannot access provided service.")


async def no_source(caller: Caller, parameters: Parameters) -> Parameters:
    raise ResourceNotFoundException("Requested Delivery Source does not exist in this account.")


def none_of(member: str) -> Operation:
    async def none(caller: Caller, parameters: Parameters) -> Parameters:
        return {member: []}

    return none


def _kind(arn: str) -> str:
    try:
        kind = _KINDS.get(Arn.parse(arn).service)
    except ValueError:
        kind = None
    if kind is None:
        raise ValidationException("Lambent's delivery destinations are buckets of S3 and log groups.")
    return kind


def _described(caller: Caller, name: Name, found: LogDeliveryDestination) -> Parameters:
    partition = partition_of(caller.region)
    answer: Parameters = {
        "name": name.name,
        "arn": f"arn:{partition}:logs:{caller.region}:{caller.account_id}:delivery-destination:{name.name}",
        "deliveryDestinationType": found.kind,
        "deliveryDestinationConfiguration": {"destinationResourceArn": found.resource_arn},
    }
    if found.output_format is not None:
        answer["outputFormat"] = found.output_format
    if found.tags:
        answer["tags"] = dict(found.tags)
    return answer


def _name(caller: Caller, name: str) -> Name:
    return Name(caller.account_id, caller.region, "", name)


def _missing() -> ResourceNotFoundException:
    return ResourceNotFoundException("Requested Delivery Destination does not exist in this account.")
