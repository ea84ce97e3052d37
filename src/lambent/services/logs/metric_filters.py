"""TestMetricFilter: what a pattern makes of sample messages."""

from lambent.model.caller import Caller, Parameters
from lambent.services.logs.filter_events import compiled


async def test_metric_filter(caller: Caller, parameters: Parameters) -> Parameters:
    pattern = compiled(parameters["filterPattern"])
    return {
        "matches": [
            {
                "eventNumber": number,
                "eventMessage": message,
                "extractedValues": dict(pattern.extract(message)),
            }
            for number, message in enumerate(parameters["logEventMessages"], start=1)
            if pattern.matches(message)
        ]
    }
