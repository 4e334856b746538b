"""Text with places: YAML read to plain data that knows where every part stands."""
