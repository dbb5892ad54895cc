"""The numbers of ``bin/bench``: Madang and its peer, driven by the same client, in the same run."""
