"""Durable executions of Lambda functions: frozen values, and a state machine that is a pure function of them.

Read `values.py` for what there is, `transition.py` for how a change is put together, `checkpoint.py` for what the
function reports of itself, `invocation.py` for when it runs, `timers.py` for what time does. Knows no clock, disk or
wire.

Source: https://docs.aws.amazon.com/lambda/latest/dg/durable-functions.html and the shapes of the lambda service model.
"""
