"""S3 Select's language: SQL expressions over records of CSV and JSON. Knows nothing of buckets and objects.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference.html
"""
