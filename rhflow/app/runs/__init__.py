"""One run: planned, carried out, remembered and handed over."""
