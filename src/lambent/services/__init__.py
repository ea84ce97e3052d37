"""One package per AWS service; siblings do not import each other, they call each other through the public API."""
