"""An account of the service, opened: what it may do at once, and what is open on it."""
