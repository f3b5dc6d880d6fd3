"""Where the files of a form go: sealed into the folder of documents, or nowhere at all."""

from typing import IO, Any, cast

from flask import Request, current_app

from nrm.domain.document import MEGABYTE
from nrm.services.document_files import Incoming

# The one route that takes files. A file is at most 25 MB; what is a little larger is still read,
# so that the form can say so at its field.
UPLOAD = "documents.add"
LARGEST_UPLOAD = 32 * MEGABYTE


class UploadRequest(Request):
    """A request whose files never lie in clear on a disk, as temporary files would."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Begin without a file."""
        super().__init__(*args, **options)
        self._incoming: Incoming | None = None

    @property
    def max_content_length(self) -> int | None:
        """The most that is read: more where files are taken."""
        return LARGEST_UPLOAD if self.endpoint == UPLOAD else super().max_content_length

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self._max_content_length = value

    def close(self) -> None:
        """Take away what did not become a document, also where the sender broke off."""
        super().close()
        if self._incoming is not None:
            self._incoming.discard()

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        del total_content_length, content_type, content_length
        if self.endpoint != UPLOAD or not filename or self._incoming is not None:
            return cast("IO[bytes]", _Nowhere())
        self._incoming = Incoming(current_app.config["NRM"].documents)
        return cast("IO[bytes]", self._incoming)


class _Nowhere:
    """Takes what nobody asked for, and keeps none of it."""

    def write(self, data: bytes) -> int:
        """Let it go."""
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Stay where there is nothing."""
        del offset, whence
        return 0

    def read(self, size: int = -1) -> bytes:
        """Give nothing back."""
        del size
        return b""

    def close(self) -> None:
        """Have nothing to close."""
