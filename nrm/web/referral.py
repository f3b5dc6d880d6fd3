"""Screens of referral."""

from flask import Blueprint

blueprint = Blueprint("referral", __name__)
