"""Event source mappings at work: records are polled, filtered, batched, given to functions, and settled.

    reconciler ─► one runner for each enabled mapping:  poll ─► filter ─► batch ─► invoke ─► settle

`source` is the port that every kind of source implements; `filters`, `batching`, `scaling` and `batch_response` decide
and do nothing else; `delivery` and `queue_runner` act. Talks to sources through the public API, as the function's role,
and to functions through the invoke port. What is wanted stands in the store and what was delivered in the source, so
nothing is lost with this process: a record that was not settled comes again.

A new kind of source is a class beside `sqs` that passes tests/contract/event_sources, a SourceKind that is `offered`, a
check in services/lambda_/event_source_access.py and a line in server/event_sources.py. `queue_runner` is for sources
that keep what failed themselves; a stream, which does not go on behind a failed batch, gets a runner of its own.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
"""
