"""The status page and the metrics: what runs here, for whoever looks. Neither says anything about a person.

Rules

* One page of plain HTML, without script, style sheet or image; everything shown is escaped.
* The page says first what holds least: one operator, or a stopped programme.
* Metrics hold figures of the log and the switch, which are public anyway, and counts of failures. There is no
  count of calls: how many devices ask for leases is a figure about people.
"""

import html
from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from understudy.consent.programme import Profile
from understudy.consent.purposes import Activity
from understudy.contract.messages import Health
from understudy.contract.routes import METRICS, STATUS_PAGE
from understudy.sealing.signing import document_hash
from understudy.web.broker import Broker
from understudy.web.calls import HTML, Call, Reply, Served
from understudy.web.document import fingerprint

ONE_OPERATOR: Final = (
    "One operator: “no key without a log entry” is not held against the operator. Server, custodian and "
    "witness of this programme may run on one machine, under one user."
)
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Understudy: {title}</title>
</head>
<body>
<main>
<h1>{title}</h1>
{notice}
<h2>Now</h2>
<ul>
<li>{health}</li>
<li>Stopped at the server: {off}</li>
<li>Log: {log}</li>
</ul>
<h2>The programme document</h2>
<p>Number {number}, profile {profile}. Its fingerprint; the custodian shows it too, at its own address:</p>
<p><code>{document}</code></p>
<p>Key set: <code>{key_set}</code></p>
<h2>The log</h2>
<pre>{checkpoint}</pre>
</main>
</body>
</html>
"""


class PageCalls:
    """Answers for people and for monitoring."""

    def __init__(self, broker: Broker, health: Callable[[], Health]) -> None:
        self._broker = broker
        self._health = health

    def served(self) -> list[Served]:
        """Return the routes of page and metrics."""
        return [Served(STATUS_PAGE, self.page), Served(METRICS, self.metrics)]

    def page(self, _call: Call) -> Reply:
        """Return the status page."""
        document = self._broker.document
        newest = self._broker.log.newest
        health = self._health()
        off = self._broker.programme.switch_status().off
        notice = f"<p><strong>{html.escape(ONE_OPERATOR)}</strong></p>"
        shown = {
            "title": document.terms.title,
            "health": "Ready" if health.is_ready else f"Not ready: {health.why}",
            "off": ", ".join(off) or "nothing",
            "log": "no cosigned checkpoint yet"
            if newest is None
            else f"{newest.checkpoint.size} entries, cosigned",
            "number": str(document.number),
            "profile": document.profile,
            "document": fingerprint(document_hash(document)),
            "key_set": fingerprint(document_hash(document.key_set)),
            "checkpoint": "" if newest is None else newest.note.decode("utf-8", "replace"),
        }
        escaped = {name: html.escape(text) for name, text in shown.items()}
        escaped["notice"] = notice if document.profile is Profile.EMBEDDED else ""
        return Reply(_PAGE.format(**escaped).encode(), HTML)

    def metrics(self, _call: Call) -> Reply:
        """Return the metrics in Prometheus's text format."""
        registry = CollectorRegistry()
        newest = self._broker.log.newest
        off = self._broker.programme.switch_status().off

        def gauge(name: str, text: str, value: float) -> None:
            Gauge(f"understudy_{name}", text, registry=registry).set(value)

        gauge("ready", "1 when the server can do its work", float(self._health().is_ready))
        gauge(
            "log_entries",
            "entries under the newest cosigned checkpoint",
            newest.checkpoint.size if newest else 0,
        )
        gauge(
            "log_cosigned_seconds",
            "time of the newest checkpoint's quorum, Unix seconds",
            newest.newest_quorum_time if newest else 0,
        )
        stopped = Gauge("understudy_off", "1 when stopped at the server", ["activity"], registry=registry)
        for activity in Activity:
            stopped.labels(activity.value).set(float(activity in off))
        return Reply(generate_latest(registry), "text/plain; version=0.0.4")
