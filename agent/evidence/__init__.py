"""What applications log when connect() finds no port, joined to the pools it is about.

`phrases` knows what they say, `follow` reads files as they grow and rotate, `ledger` adds up between two samples,
`join` finds the pool.
"""
