"""A stand-in for Colab's own package: what a notebook or a widget can meet of it."""
