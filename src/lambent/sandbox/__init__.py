"""Isolation of processes. Knows the kernel; does not know Lambda."""
