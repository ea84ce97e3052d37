"""Metric filters: what is counted in the events of a log group.

`compile.py` makes a filter ready to be asked, `known.py` keeps all of them in memory, `operations.py` changes them,
`sample.py` tries a pattern out. Who asks them is `services/logs/measuring.py`.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
"""
