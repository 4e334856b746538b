"""What the service can be asked, family by family, and what can be ordered of it."""
