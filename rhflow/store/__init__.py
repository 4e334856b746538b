"""The store: the only room that writes a run's files.

Import the module you need; nothing is re-exported here, so that a look-up pays for no more than it uses.
"""
