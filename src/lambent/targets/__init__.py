"""How what rules and schedules have to say reaches their targets: durable deliveries, retries, dead letters.

Knows the queue of deliveries, when one is tried again, how a failure is called, and how a target's ARN becomes a call
of its service. Does not know rules or schedules; the services that own them decide who calls, and tell their metrics.
"""
