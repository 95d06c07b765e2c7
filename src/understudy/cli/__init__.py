"""The command tree: ``understudy NOUN VERB``, and single verbs for the daily ones.

Rules

* A noun's module is imported only when one of its commands runs.
* What a program would read goes to standard output, as text or with ``--json`` as one JSON document.
  Everything else goes to standard error behind ``understudy:``, lower case, without a full stop.
* Exit codes: 0 ok, 1 failed, 2 usage, 3 refused by a rule, 4 verification failed, 130 interrupted.
* An error is a sentence and, where there is something to do, a hint. A traceback appears only with
  ``UNDERSTUDY_TRACE=1``, which may show paths but never keys.
"""

import os
import sys
from collections.abc import Sequence
from typing import Final

from cyclopts import App, CycloptsError

from understudy import __version__
from understudy.consent.errors import RefusedError, UnderstudyError

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
REFUSED: Final = 3
UNVERIFIED: Final = 4
INTERRUPTED: Final = 130

_VERIFICATION_ERRORS: Final = frozenset(
    {"EntryError", "PinError", "SealError", "SignatureError", "CheckpointError", "ProofError"}
)
"""Classes, themselves or as a base, whose meaning is "this does not verify"."""

app = App(
    name="understudy",
    version=__version__,
    help="Record how people really use computers, with their consent, and refine models on it.",
    help_epilogue="Start with `understudy demo`, or with `understudy up` and docs/start.md.",
)

for _name, _target, _help in (
    ("up", "understudy.cli.servers:up", "Start server, custodian and witness on this machine."),
    ("down", "understudy.cli.servers:down", "Stop what `understudy up` started."),
    ("serve", "understudy.cli.servers:serve", "The server: set up, sign, and run it alone."),
    ("custodian", "understudy.cli.custodian:app", "The second key holder: set up, pin, run, switch off."),
    ("witness", "understudy.cli.witness:app", "The witness: set up, pin, and run it alone."),
    ("programme", "understudy.cli.programme:app", "The programme document: check, show, assemble, sign."),
    ("device", "understudy.cli.device:app", "A participant's device: keys, enrolment, consent, pause."),
    ("record", "understudy.cli.record:record", "Record what you do, until Ctrl-C; a window says so."),
    ("recorder", "understudy.cli.recorder:app", "The running recorder: pause, resume, mark tasks, forget."),
    ("recording", "understudy.cli.recording:app", "Recording files: make, check, show, draw a sheet."),
    ("review", "understudy.cli.review:app", "What is held here: look at it, cut, delete, share, forget."),
    ("request", "understudy.cli.request:app", "Ask for access, look at requests, approve one."),
    ("grant", "understudy.cli.grant:app", "Open segments under a grant; grant oneself one's own."),
    ("access", "understudy.cli.access:app", "Explain a decision of the door."),
    ("log", "understudy.cli.log:app", "The transparency log: show, export, verify, who read mine."),
    ("suspend", "understudy.cli.switch:suspend", "Stop capture, ingest, reads, releases, training, or all."),
    ("lift", "understudy.cli.switch:lift", "Start again what was suspended; needs the lift keys."),
    ("canary", "understudy.cli.canary:app", "Planted strings: make them, look for them."),
    ("demo", "understudy.cli.demo:demo", "Run the whole path on this machine, end to end."),
):
    app.command(_target, name=_name, help=_help)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors become two lines on standard error."""
    try:
        code = app(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
    except UnderstudyError as error:
        if os.environ.get("UNDERSTUDY_TRACE") == "1":
            raise
        complain(str(error), error.hint)
        return exit_code(error)
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        return FAILED
    except OSError as error:
        complain(f"{error.strerror or type(error).__name__}: {error.filename or 'input or output'}".lower())
        return FAILED
    except CycloptsError as error:
        said = " ".join(str(error).split()).rstrip(".")
        complain(said[:1].lower() + said[1:], "add --help to the command to see what it takes")
        return USAGE
    except Exception as error:
        if os.environ.get("UNDERSTUDY_TRACE") == "1":
            raise
        complain(
            f"an unexpected {type(error).__name__}",
            "this is a defect: set UNDERSTUDY_TRACE=1 to see where, and report it",
        )
        return FAILED
    return code if isinstance(code, int) else OK


def exit_code(error: UnderstudyError) -> int:
    """Return 3 for a refusal, 4 for what does not verify, 1 for everything else."""
    if isinstance(error, RefusedError):
        return REFUSED
    names = {kind.__name__ for kind in type(error).__mro__}
    return UNVERIFIED if names & _VERIFICATION_ERRORS else FAILED


def complain(message: str, hint: str = "") -> None:
    """Write one error, and a hint if there is one, to standard error."""
    sys.stderr.write(f"understudy: error: {message}\n")
    if hint:
        sys.stderr.write(f"understudy: hint: {hint}\n")
