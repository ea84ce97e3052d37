"""The event pattern language: EventBridge's rules, SNS's filter policies, filters of event source mappings. Pure.

A pattern is compiled once and applied often. It says what the values at some paths of an event may be:

    {"source": ["orders"], "detail": {"total": [{"numeric": [">", 100]}], "$or": [{…}, {…}]}}

Keys are joined with dots, in patterns and events alike ("detail.total"). All paths must match; of the values of one
path any; of an array's elements any, but what is said of several members must be true of one and the same element.
Whoever asks many patterns about one event reads it once: `fields = read_event(event)`, then `pattern.matches_fields`.
SNS's attributes are an event of one level: {"store": "here", "interests": ["rugby", "tennis"]}.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html and, for reasons of
refusals and for arrays, the behaviour of AWS's own engine.
"""

from lambent.model.event_pattern.event import Fields, read_event
from lambent.model.event_pattern.invalid import InvalidPatternError
from lambent.model.event_pattern.parse import parse_pattern
from lambent.model.event_pattern.pattern import Pattern

__all__ = ["Fields", "InvalidPatternError", "Pattern", "parse_pattern", "read_event"]
