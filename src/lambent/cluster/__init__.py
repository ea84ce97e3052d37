"""The servers that share a database: who they are, what only one of them does, what they tell each other.

`membership` is a row that each renews; `leases` are held by members; `changes` brings what one has written to the
others' memories. All of it goes on with one server just as with many. Knows the ports of the store and nothing of
functions. The design is docs/internals/nodes.md.
"""
