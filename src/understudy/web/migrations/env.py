"""Run by Alembic on the connection that ``migrate`` hands over; there is no alembic.ini."""

from alembic import context

from understudy.web.migrations import metadatas

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadatas(),
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
