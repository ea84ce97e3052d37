"""Measurements beside a floor or a peer, printed as ratios. README.md says what each measures and what it last said."""
