"""The page server: what it serves, and what nobody gets out of it."""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.learning.miniwob import PageServer
from understudy.learning.miniwob.pages import STYLE, find_pages
from understudy.learning.miniwob.server import BLANK_PAGE

SECRET = b"not for anybody"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder to serve, beside a file that is not to be served."""
    base = tmp_path_factory.mktemp("pages")
    (base / "secret.txt").write_bytes(SECRET)
    folder = base / "forms"
    (folder / "below").mkdir(parents=True)
    (folder / "form.html").write_bytes(b"<html><HEAD></HEAD><body>a form</body></html>")
    (folder / "below" / "data.bin").write_bytes(bytes(range(256)))
    (folder / ".hidden").write_bytes(SECRET)
    (folder / "out.txt").symlink_to(base / "secret.txt")
    (folder / "up").symlink_to(base)
    return folder


@pytest.fixture(scope="module")
def pages(folder: Path) -> Iterator[PageServer]:
    with PageServer({"forms": folder}) as running:
        yield running


def ask(
    pages: PageServer, path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    port = urlsplit(pages.address()).port
    assert port is not None
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        line.putrequest(method, path, skip_host=headers is not None and "Host" in headers)
        for name, value in (headers or {}).items():
            line.putheader(name, value)
        line.endheaders()
        answer = line.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        line.close()


def raw(pages: PageServer, request: bytes) -> bytes:
    """Return all that is answered to these very bytes."""
    port = urlsplit(pages.address()).port
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        try:
            line.sendall(request)
            line.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := line.recv(65_536):
                answer += piece
        except OSError:  # it hung up before it had heard all
            return b""
        return answer


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("miniwob/click-button.html", "text/html; charset=utf-8"),
        ("core/core.js", "text/javascript; charset=utf-8"),
        ("core/core.css", "text/css; charset=utf-8"),
        ("common/special/email-inbox/star.png", "image/png"),
    ],
)
def test_the_pages_and_all_they_need_are_served(pages: PageServer, path: str, kind: str) -> None:
    status, headers, content = ask(pages, f"/{path}")
    assert (status, headers["content-type"]) == (200, kind)
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert content.replace(STYLE, b"") == (find_pages() / path).read_bytes()


def test_everything_that_a_page_of_a_task_asks_for_is_there(pages: PageServer, folder: Path) -> None:
    for folder_name in ("core", "common"):
        for file in (find_pages() / folder_name).rglob("*"):
            if file.is_file() and not file.name.startswith("."):
                path = file.relative_to(find_pages()).as_posix().replace(" ", "%20")
                assert ask(pages, f"/{path}", "HEAD")[0] == 200, path


def test_own_pages_are_served_with_the_same_style(pages: PageServer) -> None:
    status, _, content = ask(pages, "/forms/form.html?mode=x#there")
    assert (status, content) == (200, b"<html><HEAD>" + STYLE + b"</HEAD><body>a form</body></html>")
    assert ask(pages, "/forms/below/data.bin")[2] == bytes(range(256))
    assert ask(pages, "/blank.html")[2] == BLANK_PAGE


def test_head_says_what_get_would_without_saying_it(pages: PageServer) -> None:
    _, told, content = ask(pages, "/core/core.css")
    status, headers, nothing = ask(pages, "/core/core.css", "HEAD")
    assert (status, nothing) == (200, b"")
    assert headers["content-length"] == told["content-length"] == str(len(content))


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/forms",
        "/forms/",
        "/forms/below",
        "/forms/nothing.html",
        "/nothing/form.html",
        "/../secret.txt",
        "/forms/../secret.txt",
        "/forms/%2e%2e/secret.txt",
        "/forms/..%2fsecret.txt",
        "/forms/..%5csecret.txt",
        "/forms/%252e%252e/secret.txt",
        "/forms//../secret.txt",
        "/forms/below/../../secret.txt",
        "/forms/up/secret.txt",
        "/forms/out.txt",
        "/forms/.hidden",
        "/forms/./form.html",
        "/forms//form.html",
        "/forms/form.html/",
        "/forms/form.html%00",
        "/forms/form.html%0a",
        "/forms/%ff.html",
        "//etc/passwd",
        "/forms/" + "a/" * 900 + "x",
        "/forms/" + "a" * 3_000,
        "*",
    ],
)
def test_what_is_not_a_page_is_not_found(pages: PageServer, path: str) -> None:
    status, _, content = ask(pages, path)
    assert status == 404
    assert SECRET not in content


@given(
    parts=st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "..",
                    "%2e%2e",
                    "%2E.",
                    "up",
                    "below",
                    "forms",
                    "secret.txt",
                    "out.txt",
                    ".hidden",
                    "",
                    "%2f",
                ]
            ),
            st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8),
        ),
        max_size=6,
    )
)
def test_no_path_leads_out(pages: PageServer, parts: list[str]) -> None:
    path = "/forms/" + "/".join(parts)
    answer = raw(pages, f"GET {path} HTTP/1.1\r\nHost: {urlsplit(pages.address()).netloc}\r\n\r\n".encode())
    assert SECRET not in answer


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "X", "__init__"]
)
def test_other_methods_are_refused(pages: PageServer, method: str) -> None:
    status, headers, _ = ask(pages, "/forms/form.html", method)
    assert (status, headers["allow"], headers["connection"]) == (405, "GET, HEAD", "close")


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1", "127.0.0.1:1", ""])
def test_a_request_for_another_host_is_refused(pages: PageServer, host: str) -> None:
    assert ask(pages, "/forms/form.html", headers={"Host": host})[0] == 421


def test_huge_and_many_headers_are_refused(pages: PageServer) -> None:
    host = f"Host: {urlsplit(pages.address()).netloc}\r\n".encode()
    long = raw(pages, b"GET /forms/form.html HTTP/1.1\r\n" + host + b"X: " + b"y" * 100_000 + b"\r\n\r\n")
    many = raw(pages, b"GET /forms/form.html HTTP/1.1\r\n" + host + b"X: y\r\n" * 5_000 + b"\r\n")
    line = raw(pages, b"GET /" + b"y" * 100_000 + b" HTTP/1.1\r\n" + host + b"\r\n")
    for answer in (long, many, line):
        assert not answer or answer.split(b" ", 2)[1] in {b"431", b"414", b"400"}
    assert ask(pages, "/forms/form.html")[0] == 200


def test_a_body_is_never_taken_for_the_next_request(pages: PageServer) -> None:
    host = f"Host: {urlsplit(pages.address()).netloc}\r\n".encode()
    hidden = b"GET /forms/below/data.bin HTTP/1.1\r\n" + host + b"\r\n"
    for method in (b"GET", b"POST"):
        for extra in (b"Content-Length: %d\r\n" % len(hidden), b"Transfer-Encoding: chunked\r\n"):
            answer = raw(pages, method + b" /forms/form.html HTTP/1.1\r\n" + host + extra + b"\r\n" + hidden)
            assert answer.count(b"HTTP/1.1 ") == 1


@given(request=st.binary(max_size=300))
def test_nonsense_does_not_end_the_server(pages: PageServer, request: bytes) -> None:
    answer = raw(pages, request + b"\r\n\r\n")
    assert SECRET not in answer


def test_it_still_serves_after_all_that(pages: PageServer) -> None:
    assert ask(pages, "/forms/form.html")[0] == 200


@pytest.mark.parametrize("name", ["miniwob", "core", "", ".", "..", "a/b", ".hidden"])
def test_a_folder_needs_a_name_of_its_own(name: str, folder: Path) -> None:
    with pytest.raises(ValueError, match="cannot be served"):
        PageServer({name: folder})


def test_the_port_is_free_after_the_end(folder: Path) -> None:
    with PageServer({"forms": folder}) as server:
        port = urlsplit(server.address()).port
        assert server.host == "127.0.0.1"
    server.close()
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):  # noqa: PT011
        pass
