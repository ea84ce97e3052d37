"""Context attributes: what an Input may say of the run that it is for.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

from datetime import UTC, datetime

from lambent.model.delivery import Delivery

EXECUTION_ID = "EXECUTION_ID"
SCHEDULED_TIME = "SCHEDULED_TIME"
"""Notes of a delivery, named as in dead letters."""


def filled(delivery: Delivery) -> str:
    """The input of one attempt."""
    text = delivery.payload.decode()
    if "<aws.scheduler." not in text:
        return text
    attributes = {
        "schedule-arn": delivery.source_arn,
        "scheduled-time": delivery.notes[SCHEDULED_TIME],
        "execution-id": delivery.notes[EXECUTION_ID],
        "attempt-number": str(delivery.attempts + 1),
    }
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def time_text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
