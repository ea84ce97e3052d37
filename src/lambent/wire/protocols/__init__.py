"""One module per AWS protocol. Each turns a service model's operations into pairs of closures."""
