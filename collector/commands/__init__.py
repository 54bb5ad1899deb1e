"""The commands, a module each: `add` declares it to argparse, `run` does it and answers the exit status."""
