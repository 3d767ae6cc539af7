"""Colab's manager of widgets that are not its own: anywidget asks for it, and for its address."""

from google.colab.output import _widgets


def enable_custom_widget_manager() -> None:
    """Notes that it was asked for; there is no page here that it could change."""
    _widgets._installed_url = "https://ssl.gstatic.com/colaboratory-static/widgets/manager.js"
