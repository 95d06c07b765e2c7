"""``understudy access``: why a read is, or would be, allowed or refused."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Table

from understudy.access.explain import Explanation
from understudy.cli import OK, REFUSED
from understudy.cli.connect import (
    DEFAULT_DEVICE,
    DEFAULT_SERVER,
    DeviceHome,
    PinnedFile,
    ServerUrl,
    connect,
    credential_hash,
    credential_of,
    open_device,
    pinned_document,
    signing_key,
)
from understudy.cli.output import Json, emit, remark, short, table
from understudy.consent.decisions import Refused
from understudy.consent.purposes import Purpose
from understudy.contract.body import read_body
from understudy.sealing.signing import document_hash

app = App(name="access", help="Explain a decision of the door.")


@app.command
def explain(
    segment: Annotated[str, Parameter(help="The segment somebody wants to open.")],
    *,
    key: Annotated[
        Path | None, Parameter(name="--key", help="Key file that signs; default: this device's own key.")
    ] = None,
    device: DeviceHome = DEFAULT_DEVICE,
    reader: Annotated[
        str, Parameter(help="Who: key file or public key; default: the signer.", allow_leading_hyphen=True)
    ] = "",
    grant: Annotated[
        str,
        Parameter(
            help="Hash of a grant; default: the reader's newest for the purpose.", allow_leading_hyphen=True
        ),
    ] = "",
    purpose: Annotated[Purpose, Parameter(help="What for, where no grant is named.")] = Purpose.TRAIN,
    document: PinnedFile = None,
    server: ServerUrl = DEFAULT_SERVER,
    json: Json = False,
) -> int:
    """Explain whether a reader could open a segment now: every condition, held or not, and what to do.

    It opens nothing and makes no entry. Ends with 3 where the answer is no. What a participant said is shown
    to that participant alone: without --key, this device asks about its own recordings.
    """
    if key is None:
        here = open_device(device)
        here.check_pin(connect(server))
        signer = here.personal.signing
    else:
        signer = signing_key(key)
    credential = document_hash(credential_of(reader)) if reader else credential_hash(signer)
    client = connect(server, signer)
    if key is not None:
        pinned_document(client, document)
    raw = client.explain(segment, credential, grant=grant, purpose=purpose)
    explanation = read_body(Explanation, raw)
    emit(explanation, _picture(explanation), as_json=json)
    if isinstance(explanation.decision, Refused):
        if not json:
            remark(f"refused: {explanation.decision.reason}")
            remark(f"hint: {explanation.decision.hint}")
        return REFUSED
    return OK


def _picture(explanation: Explanation) -> Table:
    answer = "refused" if isinstance(explanation.decision, Refused) else "allowed"
    who = explanation.person or short(explanation.credential)
    shown = table(f"{explanation.action} by {who}: {answer}", "", "condition", "detail", "what to do")
    for condition in explanation.conditions:
        mark = "yes" if condition.holds else "NO"
        shown.add_row(mark, condition.says, condition.detail, condition.hint)
    return shown
