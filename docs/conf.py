"""How Sphinx builds the guide: `python -m sphinx -W docs build/docs`.

Examples draw the figures: a page that shows `figures/PAGE/NAME` has an example that writes NAME.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# The installed phasic, but for a working tree that was built in place.
if not list((ROOT / "phasic").glob("_native*")):
    sys.path[:] = [place for place in sys.path if Path(place).resolve() != ROOT]
sys.path.insert(0, str(ROOT / "scripts"))

import examples  # noqa: E402
from phasic._version import __version__  # noqa: E402

project = "phasic"
release = version = __version__
extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
smartquotes = False  # options begin with two dashes
html_theme = "alabaster"
html_theme_options = {
    "description": "Phase-type distributions: record a model once, evaluate it for any theta",
    "fixed_sidebar": True,
    "show_powered_by": False,
    "page_width": "1080px",
    "sidebar_width": "240px",
    "font_family": "Georgia, 'DejaVu Serif', serif",
}
html_static_path = ["static"]
html_css_files = ["guide.css"]
html_show_sourcelink = html_show_copyright = False
html_math_renderer = "mathml"


def setup(app: Any) -> None:
    app.connect("builder-inited", lambda _: draw_figures())
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))


def draw_figures() -> None:
    """Runs the examples of the pages that show figures, and keeps these."""
    for page in HERE.glob("*.md"):
        shown = re.findall(rf"\(figures/{page.stem}/(\S+)\)", page.read_text())
        if shown:
            folder = HERE / "figures" / page.stem
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory() as directory:
                examples.trial(page, Path(directory))
                for name in shown:
                    shutil.copy(Path(directory) / name, folder)


# Formulas as MathML, which browsers show by themselves: no script, nothing from a network.


def _inline(translator: Any, node: Any) -> NoReturn:
    translator.body.append(tex2mathml(node.astext()))
    raise SkipNode


def _display(translator: Any, node: Any) -> NoReturn:
    translator.body.append(f'<div class="math">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise SkipNode
