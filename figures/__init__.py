"""Widgets and pictures of the course: one module a picture, its JavaScript beside it."""
