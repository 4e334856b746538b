"""The loop: start ready nodes, hold limits, record facts. It decides nothing itself and reaches out only by ports."""
