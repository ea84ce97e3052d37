"""The metrics of AWS/Events.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
"""

from lambent.base.arn import Arn
from lambent.model.event_bus import DEFAULT_BUS, Rule
from lambent.model.metric import Metrics

_NAMESPACE = "AWS/Events"


class RuleMetrics:
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def matched(self, rule: Rule) -> None:
        for name in ("MatchedEvents", "TriggeredRules"):
            self._put(rule.account_id, rule.region, name, _dimensions(rule.bus, rule.name))

    def triggered(self, rule: Rule) -> None:
        """By its schedule."""
        self._put(rule.account_id, rule.region, "TriggeredRules", _dimensions(rule.bus, rule.name))

    def count(self, rule_arn: str, name: str) -> None:
        """One more of `name`, such as Invocations, of a rule."""
        arn = Arn.parse(rule_arn)
        bus, _, rule = arn.resource.removeprefix("rule/").rpartition("/")
        self._put(arn.account_id, arn.region, name, _dimensions(bus or DEFAULT_BUS, rule))

    def called(self, account_id: str, region: str, entries: int) -> None:
        """PutEvents, with so many entries."""
        self._put(account_id, region, "PutEventsApproximateCallCount", {})
        self._put(account_id, region, "PutEventsEntriesCount", {}, entries)

    def _put(
        self, account_id: str, region: str, name: str, dimensions: dict[str, str], value: float = 1
    ) -> None:
        self._metrics.put(account_id, region, _NAMESPACE, name, value, unit="Count", dimensions=dimensions)


def _dimensions(bus: str, rule: str) -> dict[str, str]:
    return {"RuleName": rule} if bus == DEFAULT_BUS else {"EventBusName": bus, "RuleName": rule}
