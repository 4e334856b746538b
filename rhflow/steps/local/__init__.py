"""Steps that this machine carries out by itself: free, without a key, on pictures, clips and sound in the store."""
