"""What is to be done in which order: steps spread over their loops, wired by what they read."""
