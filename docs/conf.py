"""The documentation site: `make docs` builds it into build/docs, warnings as errors."""

import sys
from pathlib import Path

from lowrankflow.version import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "lowrankflow"
author = "The lowrankflow developers"
copyright = "the lowrankflow developers; Apache-2.0"  # noqa: A001
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "bibliography",
    "command_line",
    "narrow_tables",
    "plain_docstrings",
    "public_names",
    "repository_links",
]
exclude_patterns = ["figures", "studies/results/*.md"]

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

# Signatures are as in the source; what is not ours has no page to link to.
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
napoleon_numpy_docstring = False
napoleon_use_rtype = False
python_maximum_signature_line_length = 72
add_module_names = False
toc_object_entries_show_parents = "hide"
default_role = "code"
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!lowrankflow).*")]

html_theme = "furo"
html_title = "lowrankflow"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sphinx = False
_CODE = "'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#00598c",
        "color-brand-content": "#00598c",
        "font-stack--monospace": _CODE,
    },
    "dark_css_variables": {
        "color-brand-primary": "#6cb8e6",
        "color-brand-content": "#6cb8e6",
    },
}
pygments_style = "tango"
pygments_dark_style = "github-dark"
