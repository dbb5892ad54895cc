"""What is in a request's body is Django's to read and to judge, and not the server's before it."""

from __future__ import annotations

import pytest

from tests.live import Account, Site, client

pytestmark = [pytest.mark.jail]


def test_a_form_that_is_none_is_refused_in_words(site: Site, owner: Account) -> None:
    with client(site, owner) as http:
        answer = http.post("/api/v1/runs", content=b"nonsense", headers={"Content-Type": "multipart/form-data"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "refused"
    assert answer.json()["detail"]
