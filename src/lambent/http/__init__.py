"""HTTP/1.1 on asyncio: requests in, responses out. Knows nothing of AWS."""
