"""Subscription filters: the events of a log group that match a pattern are handed to a function.

`known` has all filters in memory, `operations` are the API's, `forwarding` makes deliveries of what was appended, and
`courier` carries them out. A delivery is on disk before whoever wrote the events is answered.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""
