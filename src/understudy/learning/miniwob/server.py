"""A small server for pages on this machine.

Rules

* It listens on 127.0.0.1 at a port of the system's choice and answers GET and HEAD, nothing else.
* It serves files of the folders it was given, each under one name, and one blank page. A path is taken apart
  before it is decoded: what is empty, begins with a dot, or holds a separator or a control character after
  decoding names nothing, and links that lead out of the folder name nothing either.
* Folders are not listed. Nothing may be stored by the browser (``no-store``).
* HTML pages are served with the style of ``pages.py``.
* A caller that is slow or says nonsense costs one thread for ``REQUEST_SECONDS`` at most.
* Only requests that name this server as their host are answered, so no other page can reach it by a host name
  of its own.

>>> TYPES[".html"]
'text/html; charset=utf-8'
"""

import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final, Self
from urllib.parse import unquote_to_bytes

from understudy.learning.miniwob.pages import FOLDERS, find_pages, hide_surroundings

HOST: Final = "127.0.0.1"
REQUEST_SECONDS: Final = 10
MAX_PATH: Final = 2_000
BLANK: Final = "blank.html"
"""A page of the server's own: something to open a window with, of the same origin as all other pages."""
BLANK_PAGE: Final = b"<!DOCTYPE html><html lang=en><head><title>Blank</title></head><body></body></html>"

TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
OTHER_TYPE: Final = "application/octet-stream"


class PageServer:
    """Serves the MiniWoB++ pages, and folders of one's own beside them, while it is entered."""

    def __init__(self, own: Mapping[str, Path] | None = None, *, pages: Path | None = None) -> None:
        """Serve ``own`` folders, each under its name, and the package's ``pages`` (default: found).

        Raises:
            PagesMissingError: there are no MiniWoB++ pages.
            ValueError: a name of an own folder is taken or cannot stand in a path.
        """
        html = find_pages() if pages is None else pages
        folders = {name: html / name for name in FOLDERS}
        for name, folder in (own or {}).items():
            if name in folders or _segment(name.encode()) != name:
                message = f"a folder of pages cannot be served as {name!r}"
                raise ValueError(message)
            folders[name] = folder
        self._server = _Server(folders)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="pages", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def host(self) -> str:
        """The host that stands in every address, for a list of allowed sites."""
        return HOST

    def address(self, path: str = BLANK) -> str:
        """Return the address of a page, such as ``miniwob/click-button.html``."""
        return f"http://{HOST}:{self._server.server_port}/{path}"

    def close(self) -> None:
        """Stop answering and free the port. May be called again."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, folders: Mapping[str, Path]) -> None:
        super().__init__((HOST, 0), _Answer)
        self.folders = {name: folder.resolve() for name, folder in folders.items()}
        self.hosts = {f"{HOST}:{self.server_port}", f"localhost:{self.server_port}"}

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that went away is no news."""


class _Answer(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout: ClassVar[int] = REQUEST_SECONDS

    def __getattr__(self, name: str) -> object:
        # The base class looks for a method do_X and would answer 501; a method we do not serve is a 405.
        if name.startswith("do_"):
            return self._refuse_method
        raise AttributeError(name)

    def do_GET(self) -> None:
        """Answer with a file."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer with what a GET would say about a file."""
        self._answer(with_body=False)

    def version_string(self) -> str:
        """Return a name without versions."""
        return "understudy"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing is logged: addresses tell what a person does."""

    def _refuse_method(self) -> None:
        self.close_connection = True  # what follows may be a body, and nobody reads it
        self._send(HTTPStatus.METHOD_NOT_ALLOWED, b"", "text/plain", with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        if self.headers.get("Host", "") not in self.server.hosts:
            self.close_connection = True
            self._send(HTTPStatus.MISDIRECTED_REQUEST, b"", "text/plain", with_body=with_body)
            return
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True
        found = self._find()
        if found is None:
            self._send(HTTPStatus.NOT_FOUND, b"not found\n", "text/plain", with_body=with_body)
            return
        content, kind = found
        self._send(HTTPStatus.OK, content, kind, with_body=with_body)

    def _find(self) -> tuple[bytes, str] | None:
        """Return the content and the type of what the path names, or None."""
        path = self.path.split("?", 1)[0].split("#", 1)[0]
        if len(path) > MAX_PATH or not path.startswith("/"):
            return None
        segments = [_segment(unquote_to_bytes(part)) for part in path[1:].split("/")]
        if segments == [BLANK]:
            return BLANK_PAGE, TYPES[".html"]
        names = [name for name in segments if name is not None]
        if len(names) != len(segments) or len(names) < 2 or names[0] not in self.server.folders:  # noqa: PLR2004
            return None
        folder = self.server.folders[names[0]]
        try:
            file = folder.joinpath(*names[1:]).resolve(strict=True)
            if not file.is_relative_to(folder) or not file.is_file():
                return None
            content = file.read_bytes()
        except OSError:
            return None
        kind = TYPES.get(file.suffix.lower(), OTHER_TYPE)
        return (hide_surroundings(content) if kind == TYPES[".html"] else content), kind

    def _send(self, status: HTTPStatus, content: bytes, kind: str, *, with_body: bool) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if with_body:
            self.wfile.write(content)


def _segment(raw: bytes) -> str | None:
    """Return one part of a path as a file name, or None where it cannot be one."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if (
        not name
        or name.startswith(".")
        or any(sign in "/\\" or sign < " " or sign == "\x7f" for sign in name)
    ):
        return None
    return name
