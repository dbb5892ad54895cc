"""What isolates and runs code: drivers, the jail, policies, the runner and images.

This package knows no Django and none of the other apps. ``sandbox.runner`` runs
*inside* a sandbox and imports only the standard library and the kernel libraries.
"""
