"""The vocabulary: frozen values and the pure rules about them. No I/O, no clock, no engine."""
