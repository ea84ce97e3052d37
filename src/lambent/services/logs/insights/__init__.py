"""Logs Insights: queries over log events, in the language that AWS calls Logs Insights QL.

`scanner` and `parser` make a syntax tree (`syntax`) of a query's text; `plan` makes of the tree a chain of stages
(`stages`) that takes one record at a time and keeps no more than what is asked for. All of that is pure, and runs in a
process of its own for each query (`worker`): a regular expression that never ends, or a million groups, hurt nobody
else. The server's side reads events from the store (`reading`) and feeds that process (`process`), and keeps queries
and their results on disk (`queries`). `operations` are the API's, `definitions` those of saved queries.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""
