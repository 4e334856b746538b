"""What a step takes: a model's inputs by uniform names, given values made to fit, and the schemas that say so."""
