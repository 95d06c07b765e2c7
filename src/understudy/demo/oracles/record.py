"""The oracle of the demonstration's own form: it enters a record, field by field, as the page orders them."""

from understudy.demo.oracles.look import Look
from understudy.demo.oracles.steps import Choose, Click, Fill, Secret, Step
from understudy.demo.records import TYPED_FIELDS, CustomerRecord


def enter_record(look: Look, record: CustomerRecord) -> Step | None:
    """Return the next step of entering a record.

    Raises:
        OracleError: the page is another one.
    """
    done = look.first("button", dom_id="done")
    if done.seen:
        return Click(target=done)
    if not look.first("button", dom_id="subbtn").seen:
        return None
    for name in TYPED_FIELDS:
        field = look.first(dom_id=name)
        wanted = getattr(record, name)
        if field.value != wanted:
            return Fill(target=field, text=wanted)
    for name in ("password", "repeat"):
        field = look.first("input", dom_id=name)
        if field.value != record.password:
            return Secret(target=field, text=record.password)
    account = look.first("select", dom_id="account")
    if account.value != record.account:
        return Choose(target=account, option=record.account)
    terms = look.first("input", dom_id="terms")
    return Click(target=look.first("button", dom_id="subbtn") if terms.checked else terms)
