"""Who may do what: tokens, what they grant, and the sessions of the page."""
