"""Files on their way out of the statistics."""

from flask import Response, copy_current_request_context

from nrm.services.statistics_export import File

# A file is for its reader's own program; nothing of it runs as a page of ours.
_POLICY = "sandbox; default-src 'none'"


def handed_out(taken: File) -> Response:
    """Send a file in parts, and let the log know how that ended."""
    answer = Response(taken.parts(), mimetype=taken.media_type)
    # Called when the last part was sent, or when whoever asked has gone away.
    answer.call_on_close(copy_current_request_context(taken.end))
    answer.content_length = len(taken.content)
    answer.headers["Content-Disposition"] = f'attachment; filename="{taken.name}"'
    answer.headers["Content-Security-Policy"] = _POLICY
    return answer
