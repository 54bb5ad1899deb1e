"""The commands of `portgauge-agent`, one module each: `add` declares its arguments, `run` gives the exit status."""
