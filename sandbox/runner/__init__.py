"""The first process inside a sandbox: starts kernels and terminals, and speaks to the outside over one socket."""
