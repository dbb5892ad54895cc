"""What ``bin/up``, ``bin/test`` and ``bin/bench`` share. Standard library only: it runs before all else."""
