"""The session service, ``manage.py sessiond``.

``server.py`` is the process: its lock, its socket, its signals. ``methods.py`` answers calls.
``keeper.py`` knows all live sessions and finds them again after a restart; ``live.py`` is one of
them. ``journal.py`` writes to the database, in order, until it takes it; ``store.py`` is what it writes.
``network.py`` says what a session may reach and keeps the proxy running that lets it.
"""
