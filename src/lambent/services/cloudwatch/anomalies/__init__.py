"""Anomaly detection: detectors, and the band of values that a metric is expected to have.

AWS does not say how its models learn. Here, each hour of the day (of the week, where two weeks are known) has a center
and a spread of its own: the median, and the median distance from it.
"""
