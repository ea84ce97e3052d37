"""TestMetricFilter: what a pattern makes of sample messages."""

from lambent.base.clock import SystemClock
from lambent.model.caller import Caller, Parameters
from lambent.services.logs.exceptions import InvalidParameterException
from lambent.services.logs.filter_events import compiled
from lambent.services.logs.turns import Turns

_MESSAGE_CHARACTERS_MOST = 1_048_576
"""No event is longer."""


async def test_metric_filter(caller: Caller, parameters: Parameters) -> Parameters:
    pattern = compiled(parameters["filterPattern"])
    turns = Turns(SystemClock())
    matches = []
    for number, message in enumerate(parameters["logEventMessages"], start=1):
        if len(message) > _MESSAGE_CHARACTERS_MOST:
            raise InvalidParameterException(f"Log event {number} is longer than any log event can be.")
        if pattern.matches(message):
            values = dict(pattern.extract(message))
            matches.append({"eventNumber": number, "eventMessage": message, "extractedValues": values})
        await turns.share()
    return {"matches": matches}
