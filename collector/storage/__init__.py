"""Everything that knows SQL. Functions answer one question each, take the connection and return domain values.

Times are whole milliseconds since the Unix epoch, UTC. Transactions belong to the caller: see `database.Database`.
"""
