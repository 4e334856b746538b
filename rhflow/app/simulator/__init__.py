"""The simulator as a user starts it."""
