"""The front door: from an HTTP request to the operation of a service, and back. `chain` states the order.

Knows what a service is (model.service), the wire and signatures; knows no service.
"""
