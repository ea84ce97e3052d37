"""Subscriptions: Subscribe, ConfirmSubscription, Unsubscribe, their lists and attributes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.model.topic import Subscription, Topic
from lambent.services.sns import subscription_attributes
from lambent.services.sns.arns import PENDING, require_subscription_arn, topic_of
from lambent.services.sns.deliveries import Deliveries
from lambent.services.sns.endpoints import check_endpoint, owner_of, require_reach
from lambent.services.sns.errors import AuthorizationError, InvalidParameter, NotFound, invalid
from lambent.services.sns.filter_policy import SubscriptionAttributeError
from lambent.services.sns.pages import page
from lambent.services.sns.subscription_attributes import CONFIRMED_BY_LINK
from lambent.services.sns.tokens import ConfirmationTokens
from lambent.services.sns.topics import Topics
from lambent.store.ports.target_deliveries import TargetDeliveryStore
from lambent.store.ports.topic_archives import TopicArchiveStore
from lambent.store.records import Record

_SUBSCRIPTION = Record(Subscription)
ANONYMOUS = "anonymous"
"""The user id of who follows a link in a message."""


class SubscriptionOperations:
    def __init__(
        self,
        topics: Topics,
        deliveries: Deliveries,
        outgoing: TargetDeliveryStore,
        tokens: ConfirmationTokens,
        wake: Callable[[], None],
        replays: TopicArchiveStore,
        replaying: Callable[[], None],
        missing: Collection[str],
    ) -> None:
        """`wake` is called when there is something to deliver, `replaying` when there is something to replay; `missing`
        are settings that are not made."""
        self._missing = missing
        self._topics = topics
        self._deliveries = deliveries
        self._outgoing = outgoing
        self._tokens = tokens
        self._wake = wake
        self._replays = replays
        self._replaying = replaying

    def operations(self) -> Mapping[str, Operation]:
        return {
            "Subscribe": self.subscribe,
            "ConfirmSubscription": self.confirm_subscription,
            "Unsubscribe": self.unsubscribe,
            "ListSubscriptions": self.list_subscriptions,
            "ListSubscriptionsByTopic": self.list_subscriptions_by_topic,
            "GetSubscriptionAttributes": self.get_subscription_attributes,
            "SetSubscriptionAttributes": self.set_subscription_attributes,
        }

    async def subscribe(self, caller: Caller, parameters: Parameters) -> Parameters:
        topic = self._topics.get(parameters["TopicArn"], caller)
        protocol, endpoint = parameters["Protocol"], parameters.get("Endpoint") or ""
        check_endpoint(topic, protocol, endpoint)
        require_reach(protocol, self._missing)
        given = dict(parameters.get("Attributes") or {})
        subscription = _new(topic, caller, protocol, endpoint, self._topics.now())
        subscription = _with_attributes(subscription, topic, given, self._topics.now())
        async with self._topics.changing:
            existing = self._existing(topic, protocol, endpoint)
            if existing is None:
                await self._topics.put_subscription(subscription, starts_replay=True)
                self._replaying()
            elif subscription_attributes.same(existing, given):
                subscription = existing
            else:
                raise invalid("Attributes Reason: Subscription already exists with different attributes")
        if not subscription.confirmed:
            await self._send_confirmation(topic, subscription, "SubscriptionConfirmation")
            if not parameters.get("ReturnSubscriptionArn"):
                return {"SubscriptionArn": "pending confirmation"}
        return {"SubscriptionArn": subscription.arn}

    async def confirm_subscription(self, caller: Caller, parameters: Parameters) -> Parameters:
        token: str = parameters["Token"]
        if not token or set(token) - set("0123456789abcdefABCDEF"):
            raise InvalidParameter("Invalid token")
        claims = self._tokens.read(token, self._topics.now())
        _check_topic(parameters["TopicArn"], claims)
        found = await self._confirmable(claims) if claims is not None else None
        if found is None or found.topic_arn != parameters["TopicArn"]:
            raise invalid("Token")
        signed = caller.user_id != ANONYMOUS
        wants_signature = signed and parameters.get("AuthenticateOnUnsubscribe", "").lower() == "true"

        def edit(current: Subscription) -> Subscription:
            if current.confirmed:
                return current
            return replace(
                current, confirmed=True, authenticated=signed, unsubscribe_authenticated=wants_signature
            )

        confirmed = await self._topics.change_subscription(
            found, edit, starts_replay=not found.confirmed and "ReplayPolicy" in found.attributes
        )
        self._replaying()
        return {"SubscriptionArn": confirmed.arn}

    async def unsubscribe(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = require_subscription_arn(parameters["SubscriptionArn"])
        subscription = self._topics.find_subscription(arn)
        if subscription is None:
            return {}
        if subscription.unsubscribe_authenticated and caller.user_id == ANONYMOUS:
            raise AuthorizationError("Unsubscribing this subscription needs a signed request.")
        topic = self._topics.find(subscription.topic_arn)
        await self._topics.delete_subscription(subscription)
        if topic is not None and subscription.confirmed and subscription.protocol in CONFIRMED_BY_LINK:
            await self._send_confirmation(topic, subscription, "UnsubscribeConfirmation")
        return {}

    async def list_subscriptions(self, caller: Caller, parameters: Parameters) -> Parameters:
        return _listed(
            [
                one
                for one in self._topics.all_subscriptions()
                if one.owner == caller.account_id and one.arn.split(":")[3] == caller.region
            ],
            parameters,
        )

    async def list_subscriptions_by_topic(self, caller: Caller, parameters: Parameters) -> Parameters:
        topic = self._topics.get(parameters["TopicArn"], caller)
        return _listed(self._topics.subscriptions(topic.arn), parameters)

    async def get_subscription_attributes(self, caller: Caller, parameters: Parameters) -> Parameters:
        subscription = self._topics.subscription(parameters["SubscriptionArn"])
        replay = None
        if "ReplayPolicy" in subscription.attributes:
            replay = await self._replays.replay(subscription.arn)
        described = subscription_attributes.described(
            subscription, self._topic_of(subscription), None if replay is None else replay.status
        )
        return {"Attributes": described}

    async def set_subscription_attributes(self, caller: Caller, parameters: Parameters) -> Parameters:
        name, value = parameters["AttributeName"], parameters.get("AttributeValue", "")

        def edit(current: Subscription) -> Subscription:
            try:
                topic = self._topic_of(current)
                subscription_attributes.check(current, topic, name, value, self._topics.now())
            except SubscriptionAttributeError as error:
                raise invalid(str(error)) from None
            return replace(
                current, attributes=subscription_attributes.merged(current.attributes, {name: value})
            )

        found = self._topics.subscription(parameters["SubscriptionArn"])
        await self._topics.change_subscription(found, edit, starts_replay=name == "ReplayPolicy")
        self._replaying()
        return {}

    def _topic_of(self, subscription: Subscription) -> Topic:
        topic = self._topics.find(subscription.topic_arn)
        if topic is None:
            raise NotFound("Topic does not exist")
        return topic

    async def _confirmable(self, claims: tuple[str, str]) -> Subscription | None:
        """What a token is of; one that was ended is restored by the token of its end."""
        arn, document = claims
        found = self._topics.find_subscription(arn)
        if found is None and document and self._topics.find(topic_of(arn)) is not None:
            found = _SUBSCRIPTION.decode(document)
            async with self._topics.changing:
                await self._topics.put_subscription(found)
        return found

    def _existing(self, topic: Topic, protocol: str, endpoint: str) -> Subscription | None:
        for one in self._topics.subscriptions(topic.arn):
            if (one.protocol, one.endpoint) == (protocol, endpoint):
                return one
        return None

    async def _send_confirmation(self, topic: Topic, subscription: Subscription, kind: str) -> None:
        now = self._topics.now()
        document = _SUBSCRIPTION.encode(subscription) if kind == "UnsubscribeConfirmation" else ""
        token = self._tokens.make(subscription.arn, now, document=document)
        delivery = self._deliveries.confirmation(
            topic, subscription, kind=kind, token=token, id=new_uuid(), now=now
        )
        await self._outgoing.enqueue([delivery])
        self._wake()


def _check_topic(arn: str, claims: tuple[str, str] | None) -> None:
    """Raises InvalidParameter for what is no topic's ARN, or one of another region than the token's."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "sns" or (claims is not None and parts[3] != claims[0].split(":")[3]):
        raise invalid("Topic")


def _new(topic: Topic, caller: Caller, protocol: str, endpoint: str, now: int) -> Subscription:
    """What the caller's own account receives is confirmed by asking for it, and nobody confirms a phone number."""
    confirmed = protocol == "sms" or owner_of(protocol, endpoint) == caller.account_id
    return Subscription(
        arn=f"{topic.arn}:{new_uuid()}",
        topic_arn=topic.arn,
        protocol=protocol,
        endpoint=endpoint,
        owner=caller.account_id,
        principal_arn=caller.principal_arn,
        confirmed=confirmed,
        authenticated=confirmed,
        link_base=caller.endpoint_url,
        created_at=now,
    )


def _with_attributes(
    subscription: Subscription, topic: Topic, given: Mapping[str, str], now: int
) -> Subscription:
    """Raises InvalidParameter."""
    complete = replace(subscription, attributes=subscription_attributes.merged({}, given))
    try:
        for name, value in given.items():
            subscription_attributes.check(complete, topic, name, value, now)
    except SubscriptionAttributeError as error:
        raise subscription_attributes.refuse_subscribing(error) from None
    return complete


def _listed(subscriptions: Sequence[Subscription], parameters: Parameters) -> Parameters:
    by_arn = {one.arn: one for one in subscriptions}
    arns, token = page(sorted(by_arn), parameters)
    return {"Subscriptions": [_describe(by_arn[arn]) for arn in arns], **token}


def _describe(subscription: Subscription) -> dict[str, Any]:
    return {
        "SubscriptionArn": subscription.arn if subscription.confirmed else PENDING,
        "Owner": subscription.owner,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.endpoint,
        "TopicArn": subscription.topic_arn,
    }
