"""Programs of the portal's that run in sandboxes, as text for ``python -c``: they import nothing of ours."""
