"""The screens."""

from flask import Flask


def register(app: Flask) -> None:
    """Attach every screen to the application."""
