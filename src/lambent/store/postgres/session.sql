-- Every connection begins with this.
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
-- A node that stops in the middle of a transaction holds nobody up for longer.
SET idle_in_transaction_session_timeout = '20s';
SET lock_timeout = '20s';
-- Every statement is written for an index. What the statistics of a queue say that was empty a minute ago is no reason to
-- read all of it, nor to keep such a plan.
SET enable_seqscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
-- Nor are statements of a millisecond worth compiling.
SET jit = off;
