"""The model catalogue: every hosted model as data, looked up by the names that users know."""
