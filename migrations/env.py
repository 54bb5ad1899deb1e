"""How Alembic reaches the database: over the connection that `collector.storage.schema` holds open."""

from alembic import context

from collector.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
