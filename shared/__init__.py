"""What both sides of the wire must agree on, and nothing else."""
