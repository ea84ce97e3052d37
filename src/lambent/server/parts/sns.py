"""Amazon SNS on the database of this server, and the links in what it sends."""

from lambent.base.ids import new_uuid
from lambent.http.message import Request, Response
from lambent.model.caller import Caller
from lambent.model.error import ServiceException
from lambent.model.service import Service
from lambent.model.sms import SmsSettings
from lambent.server.part import Core, Door, Part
from lambent.services.sns import links, sns
from lambent.services.sns.mail import Mail
from lambent.services.sns.subscriptions import ANONYMOUS
from lambent.store.sql.named_records import SqlNamedRecords
from lambent.store.sql.target_deliveries import SqlTargetDeliveryStore
from lambent.store.sql.topic_archives import SqlTopicArchiveStore
from lambent.store.sql.topics import SqlTopicStore
from lambent.wire.service import WireService, load_service

_RETRY_SHARE = 60.0
"""Of the delay before the first retry of an asynchronous invocation: a minute there is a second here."""


def part(core: Core) -> Part:
    made = sns(
        SqlTopicStore(core.database),
        SqlTopicArchiveStore(core.database),
        SqlTargetDeliveryStore(core.database),
        clock=core.clock,
        client=core.client,
        roles=core.roles,
        pass_role=core.pass_role,
        metrics=core.metrics,
        owner=core.node_id,
        shared=core.shared_secret,
        secret=core.secret("subscription tokens"),
        link_base=f"http://{core.settings.host}:{core.settings.port}",
        sms_settings=SqlNamedRecords(core.database, "sms settings", SmsSettings),
        mail=Mail(core.settings.smtp_server, core.settings.email_sender),
        sms_gateway=core.settings.sms_gateway,
        retry_seconds=core.settings.retry_base_seconds / _RETRY_SHARE,
    )
    return Part(
        service=made.service,
        open=made.open,
        behind=made.behind,
        once=made.once,
        changed={"topics": lambda key: made.topics.open()},
        reload=made.topics.open,
        wakes=made.wakes,
        doors=(
            Door(opens=links.is_certificate, handler=links.certificate(made.signer)),
            Door(opens=links.is_link, handler=_Links(made.service).answer),
        ),
        close=made.close,
    )


class _Links:
    """Whoever has the token may confirm, and whoever has the link may unsubscribe: neither has a key of ours."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def answer(self, request: Request) -> Response:
        wire: WireService = load_service("sns")
        match, id = wire.match(request), new_uuid()
        assert match is not None, "a link names its action"
        try:
            parameters = wire.parse(match, request)
            output = await self._service.operations[match.operation](_anonymous(parameters), parameters)
        except ServiceException as error:
            return wire.serialize_error(match, error, id)
        return wire.serialize(match, output, id)


def _anonymous(parameters: dict[str, str]) -> Caller:
    arn = parameters.get("TopicArn") or parameters.get("SubscriptionArn") or ""
    parts = [*arn.split(":"), "", "", "", "", ""]
    return Caller(
        account_id=parts[4], region=parts[3], principal_arn="*", user_id=ANONYMOUS, access_key_id=""
    )
