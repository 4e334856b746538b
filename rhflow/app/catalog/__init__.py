"""The catalogue in force, and what users see of it."""
