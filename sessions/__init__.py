"""Sessions: running sandboxes of users on their projects.

The life of a session in the order it happens, and where each part is:

1. Somebody asks: ``api.py`` (REST) or ``jupyter/`` (Jupyter's endpoints) checks who they are and
   whose project it is (``access.py``, ``projects.py``, ``limits.py``), then calls the session
   service through ``client.py``.
2. The session service (``service/``, started by ``manage.py sessiond``) makes the row
   (``models.py``) and queues it: ``scheduler.py`` decides whose turn it is and whether there is room.
3. ``lifecycle.py`` says what every operation means in every state and what is to be done about it;
   ``service/live.py`` does it, with the driver of ``sandbox.drivers``.
4. The browser's streams are relayed straight to the sandbox's runner: ``routing.py``,
   ``consumers.py``, ``relay.py``, ``flow.py``, ``receipts.py``, ``runner.py``.
5. Each second a sample arrives: ``watch`` streams show it, ``idle.py`` decides whether the session
   sleeps, ``ledger.py`` turns totals into lines that add up, ``prices.py`` into money.
6. It ends: the final line and the state are written in one transaction, its slots go back to the
   scheduler, its sandbox is collected.

``lifecycle``, ``scheduler``, ``idle``, ``ledger`` and ``prices`` are pure: no Django, no clock, no I/O.
"""
