"""Pictures painted from words: flat, layered scenes with one subject, drawn by rules from a seed."""
