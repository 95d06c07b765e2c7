"""What may be recorded: a list of applications and sites, and nothing else.

Rules

* What is not listed is out. What is not known is out.
* A window that shows a web page is judged by the page's host, whichever browser shows it; a page without a
  host (a file, a start page) is out. Any other window is judged by its application.
* Applications are compared whole, in lower case. A site is a host, or ``*.`` and a suffix: all hosts below
  it, not the suffix itself.

Pure.

Example

>>> from understudy.consent.programme import ApplicationGroup
>>> scope = Scope(ApplicationGroup(name="office", applications=("gedit",), sites=("*.example.org",)))
>>> scope.allows("gedit", None, has_page=False), scope.allows("chromium", "wiki.example.org", has_page=True)
(True, True)
>>> scope.allows("gedit", "", has_page=True), scope.allows("chromium", "example.org.evil.test", has_page=True)
(False, False)
"""

from understudy.consent.programme import ApplicationGroup

_ANY_BELOW = "*."


class Scope:
    """One application group, ready to be asked."""

    def __init__(self, group: ApplicationGroup) -> None:
        self._applications = frozenset(name.strip().lower() for name in group.applications) - {""}
        sites = [_host(site) for site in group.sites]
        self._hosts = frozenset(site for site in sites if "*" not in site) - {""}
        below = [site.removeprefix(_ANY_BELOW) for site in sites if site.startswith(_ANY_BELOW)]
        self._suffixes = tuple(f".{suffix}" for suffix in below if suffix and "*" not in suffix)

    def allows(self, application: str, host: str | None, *, has_page: bool) -> bool:
        """Return whether a window may be recorded.

        Args:
            application: its class or executable; empty where that is not known.
            host: of the page that it shows; None or empty where there is none or it is not known.
            has_page: whether it shows a web page.
        """
        if has_page or host:
            name = _host(host or "")
            return bool(name) and (name in self._hosts or name.endswith(self._suffixes))
        return application.strip().lower() in self._applications


def _host(text: str) -> str:
    return text.strip().lower().removesuffix(".")
