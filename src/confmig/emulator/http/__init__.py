"""The HTTP server, and what stands between it and the service: limits, latency, faults, web servers."""
