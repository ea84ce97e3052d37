"""Export tasks: the events of a log group, written into a bucket.

`operations` are the API's, `tasks` carries exports out, `bucket` writes as CloudWatch Logs, which the bucket's policy
must let in.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3ExportTasks.html
"""
