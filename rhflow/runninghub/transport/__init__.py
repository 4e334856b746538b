"""How requests travel: connections, keys, pace, what may be sent again, files streamed."""
