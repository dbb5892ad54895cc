"""The numbers of ``bin/bench``: Madang and its peers, driven by the same client, in the same run."""
