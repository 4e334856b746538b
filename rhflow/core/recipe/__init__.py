"""What the author wrote: steps, parameters, templates and loops, every part with its place."""
