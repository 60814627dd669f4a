"""Reports as one HTML page each: nothing asked of any network, and a browser told to run nothing else.

A page is a template, its style and its script, each the pieces that pages share (`page.css`, `page.js`, `head.html`) and its
own. They go into the page as they are, and its content security policy knows them by their hashes and allows nothing else;
so even a text that slipped through as markup could not run.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from jdv_qa import __version__
from jdv_qa.language import current_language, figure, french_spaces, say
from jdv_qa.terminology.notice import LOINC_NOTICE

TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: str, styles: Sequence[str], scripts: Sequence[str], **values: object) -> str:
    """Return the page that a template makes of some values, all escaped; the same input gives the same text.

    `styles` and `scripts` name the files of the style and of the script, in their order. The template is given, beside
    `values`: say, figure, colon, lang, style, script and their hashes, notice, version.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    style, script = (
        "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names) for names in (styles, scripts)
    )
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(
        say=lambda fr, en: say(french_spaces(fr), en),
        figure=figure,
        colon=say("\u00a0: ", ": "),
        lang=current_language(),
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        notice=LOINC_NOTICE,
        version=__version__,
        **values,
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
