"""A client of the reader's HTTP API."""

import json
import urllib.error
import urllib.parse
import urllib.request

# One token reads acme's documents, one reads all tenants', and one may also stop the reader.
TOKENS = """
reads-what-acme-has tenants=acme role=read
reads-what-all-have tenants=* role=read
stops-the-reader-00 tenants=* role=admin
"""


class ApiClient:
    def __init__(self, reader, token: str | None = None):
        self._root = f"http://127.0.0.1:{reader.http_port}"
        self._token = token

    def ask(self, path: str, method: str = "GET", **query: object):
        """Returns status, content type and body of the answer."""
        url = f"{self._root}{path}?{urllib.parse.urlencode(query)}" if query else self._root + path
        request = urllib.request.Request(url, method=method)
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                return reply.status, reply.headers["Content-Type"], reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Content-Type"], error.read().decode()

    def items(self, path: str, **query: object) -> list[dict]:
        """Returns the items of all pages; every page must be answered with 200."""
        found: list[dict] = []
        while True:
            status, _, text = self.ask(path, **query)
            assert status == 200, text
            page = json.loads(text)
            assert page["count"] == len(page["items"])
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            query["cursor"] = page["next_cursor"]
