"""What runs inside an environment: a bootstrap per managed runtime, and how interpreters are found on the host."""
