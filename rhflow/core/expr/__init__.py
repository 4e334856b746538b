"""The expressions of a recipe: a bounded evaluator over the syntax trees of Jinja."""
