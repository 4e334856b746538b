"""rhflow: a declarative pipeline runner for RunningHub."""

__version__ = "0.1.0"
