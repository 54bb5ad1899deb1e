"""The past judged again, by these rules or others: for a post-mortem."""
