"""What every layer may use: names, time, identifiers, tasks. Knows nothing of AWS services."""
