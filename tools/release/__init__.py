"""Behind `make dist`: what is installed on hosts, made so that whoever makes it again gets the same bytes."""
