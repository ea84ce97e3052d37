"""EventBridge Pipes at work: their queues are read as event source mappings' are, and each batch goes on by way of an
enrichment to a target.

    keeper ─► one runner for each pipe that is to run:  poll ─► filter ─► batch ─► enrich ─► target ─► settle

`keeper` makes pipes as the store wants them; `flow` brings one batch through a pipe; `target` knows how each kind of
target is called; `template` what an input template may say; `execution_log` what a pipe's log group is told. All is
called as the pipe's role.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes.html
"""
