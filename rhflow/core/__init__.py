"""Pure decisions: no clock, no file, no environment, no network. What must be known arrives as arguments."""
