"""What a page would fetch if it were opened: anything that is not in the page itself."""

from __future__ import annotations

import re
from html.parser import HTMLParser

FETCHED = {
    "src",
    "srcset",
    "poster",
    "data",
    "action",
    "formaction",
    "background",
    "cite",
    "ping",
    "manifest",
    "xlink:href",
}
FETCHING = {"link", "image", "use", "base", "script", "iframe", "frame", "embed", "object", "feimage", "animate", "set"}
IN_THE_PAGE = re.compile(r"#.*|data:[^,]*,.*", re.DOTALL)
STYLE = re.compile(r"@import|url\(\s*[\"']?(?!#|data:)", re.IGNORECASE)
SCRIPT = re.compile(
    r"\b(?:fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts)\b|\bimport\s*\(|\bnew\s+Image\b"
)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.inside = ""
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag if tag in ("script", "style") else ""
        for name, value in attrs:
            loads = name in FETCHED or (name == "href" and tag in FETCHING)
            if loads and not IN_THE_PAGE.fullmatch(value or "#"):
                self.found.append(f"<{tag} {name}={value}>")
            if name == "style" and STYLE.search(value or ""):
                self.found.append(f"<{tag} style={value}>")
            if name.startswith("on"):
                self.found.append(f"<{tag} {name}>")
            if tag == "meta" and name == "http-equiv" and (value or "").casefold() == "refresh":
                self.found.append("<meta refresh>")

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside and (match := {"style": STYLE, "script": SCRIPT}[self.inside].search(data)):
            self.found.append(f"{self.inside}: {match.group()}")


def fetched(page: str) -> list[str]:
    """Return what a page would fetch, and its handlers in attributes, of which there are none of ours."""
    parser = _Page()
    parser.feed(page)
    parser.close()
    return parser.found
