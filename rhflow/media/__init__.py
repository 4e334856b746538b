"""Local pictures, clips and sound: plain synchronous functions, to be called off the event loop."""
