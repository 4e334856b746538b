"""What is decided of it: checks, calls and their keys, reuse or run, and what it costs."""
