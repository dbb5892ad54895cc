"""Jupyter Server's HTTP API under ``/jupyter/``, so that any Jupyter client can use a session.

``views.py`` turns handlers into views; ``specs.py``, ``kernels.py``, ``documents.py`` (Jupyter's
"sessions") and ``terminals.py`` are the handlers; ``start.py`` starts what they need; ``framing.py``
translates kernel messages between Jupyter's two WebSocket framings.
"""
