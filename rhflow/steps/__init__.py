"""What steps do: kinds as data, and one coroutine per family of kinds."""
