"""The IAM policy language: what a document says, and what it decides about a request. Pure: no I/O, no clock.

Documents are parsed once, with every pattern compiled, and evaluated often. Knows the language; does not know
which policies a principal has (services/iam) nor what is asked (api).

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from lambent.model.policy.combine import combine
from lambent.model.policy.document import PolicyDocument, Statement
from lambent.model.policy.evaluate import (
    Decision,
    Evaluation,
    Outcome,
    Policies,
    PolicyType,
    Request,
    denial_message,
    evaluate,
)
from lambent.model.policy.malformed import MalformedPolicyError
from lambent.model.policy.parse import PolicyKind, parse_policy
from lambent.model.policy.pattern import Context
from lambent.model.policy.principal import Match, Principal
from lambent.model.policy.request_context import PartialKeys, UnreadKeyError, request_context

__all__ = [
    "Context",
    "Decision",
    "Evaluation",
    "MalformedPolicyError",
    "Match",
    "Outcome",
    "PartialKeys",
    "Policies",
    "PolicyDocument",
    "PolicyKind",
    "PolicyType",
    "Principal",
    "Request",
    "Statement",
    "UnreadKeyError",
    "combine",
    "denial_message",
    "evaluate",
    "parse_policy",
    "request_context",
]
