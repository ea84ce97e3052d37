"""What a store promises, one port per noun. Every method is one atomic, durable step: when it returns, the change
survives a crash; when it raises, nothing changed. Implementations share one contract suite (tests/contract/store)."""
