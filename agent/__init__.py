"""The agent: samples this host, counts its port pools, pushes the counts. Runs on every load balancer."""
