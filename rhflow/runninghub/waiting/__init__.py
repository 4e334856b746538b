"""Waiting for tasks, and for a place on the account to start one."""
