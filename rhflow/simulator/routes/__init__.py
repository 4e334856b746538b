"""The operations of the service over HTTP, one file per family; ``table.py`` lists them all."""
