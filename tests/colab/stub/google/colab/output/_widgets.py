"""Where the manager was loaded from: None until it is asked for."""

_installed_url: str | None = None
