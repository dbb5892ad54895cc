"""JupyterHub's configuration: local processes in folders of their own, whoever says a name is that user."""

from __future__ import annotations

import json
import os
from typing import Any

c: Any = get_config()  # type: ignore[name-defined]  # noqa: F821 - JupyterHub gives it

place, folder = os.environ["BENCH_PLACE"], os.environ["BENCH_FOLDER"]
front, hub, proxy = json.loads(os.environ["BENCH_PORTS"])

c.JupyterHub.bind_url = f"http://127.0.0.1:{front}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.command = f"{place}/proxy/node_modules/.bin/configurable-http-proxy"
c.JupyterHub.db_url = f"sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = f"{folder}/cookie_secret"
c.ConfigurableHTTPProxy.pid_file = f"{folder}/proxy.pid"

c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.services = [{"name": "bench", "api_token": os.environ["BENCH_TOKEN"]}]
c.JupyterHub.load_roles = [
    {
        "name": "bench",
        "services": ["bench"],
        "scopes": ["admin:users", "admin:servers", "access:servers"],
    }
]

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = folder + "/home/{username}"
c.Spawner.cmd = [f"{place}/bin/jupyterhub-singleuser"]
c.Spawner.args = ["--allow-root"]
c.Spawner.environment = {"JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp", "SHELL": "/bin/bash"}
# Patient, where the default would call a start failed after half a minute.
c.Spawner.start_timeout = c.Spawner.http_timeout = 180
