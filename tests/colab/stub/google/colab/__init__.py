"""What says that a notebook runs in Colab: this module is imported before its first cell."""

from google.colab import output  # noqa: F401
