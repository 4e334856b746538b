"""What replies say: envelopes, tasks and errors of the service as plain data."""
