"""The command line: parse, call ``rhflow.app``, render. One file per command."""
