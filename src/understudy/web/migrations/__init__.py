"""The server database's schema, brought to this program's version step by step.

Rules

* ``migrate`` runs when the server starts: it makes an empty database, or upgrades an older one, in one
  transaction.
* A database of a newer program is refused and not touched.
* A revision is never changed once it was released; a change of schema is a new revision.
* The key store is a file of its own with a version of its own; it is not part of this.

Example: ``migrate(open_database(home / "server.db"))`` returns the revision that the database has now.
"""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData

import understudy.access.tables
import understudy.programme.tables
import understudy.vault.tables
from understudy.consent.errors import UnderstudyError
from understudy.programme.database import writing

_FOLDER: Final = Path(__file__).parent


class SchemaError(UnderstudyError):
    """The database has a schema that this program does not know."""

    hint = "start the newer program that made it; an older one never touches it"


def metadatas() -> list[MetaData]:
    """Return the metadata of every package whose tables live in the server's database."""
    return [
        understudy.programme.tables.Base.metadata,
        understudy.vault.tables.Base.metadata,
        understudy.access.tables.Base.metadata,
    ]


def migrate(engine: Engine) -> str:
    """Bring the database to this program's schema and return its revision. Idempotent.

    Raises:
        SchemaError: the database belongs to a newer program; it was not touched.
        StorageError: it cannot be written; its schema is what it was.
    """
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    with writing(engine) as session:
        connection = session.connection()
        present = set(MigrationContext.configure(connection).get_current_heads())
        if not present <= known:
            raise SchemaError("the database belongs to a newer version of this program")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return script.get_current_head() or ""
