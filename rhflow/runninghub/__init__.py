"""The client of the service: requests out, plain data in. Nothing here decides what is worth paying for."""
