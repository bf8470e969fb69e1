"""The documentation's settings: `make docs` builds it, without a network and without warnings."""

import doctest
import importlib.util
import os
import sys
import warnings
from pathlib import Path

DOCS = Path(__file__).resolve().parent
# The helpers that make pages and figures; and what they share with the README's script.
sys.path[:0] = [str(DOCS), str(DOCS.parent / "scripts"), str(DOCS.parent / "examples")]

# Before TensorFlow is imported here or by a notebook: figures are the same on every machine.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import kerascam  # noqa: E402
import project_urls  # noqa: E402  # only now

project = "kerascam"
smartquotes_action = "D"  # dashes, but no quotes: "max" is what the user types
author = "kerascam contributors"
project_copyright = author
version = release = kerascam.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx.ext.doctest",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "kerascam_docs",
]
exclude_patterns = ["_build", "_generated", "kerascam_docs", "**/.ipynb_checkpoints"]
templates_path = ["_templates"]
nitpicky = True
# Other projects' names: their inventories would need a network. And the names of axes.
nitpick_ignore_regex = [
    (r"py:.*", r"(collections|jaxtyping|keras|numpy|os|pathlib|tensorflow)\..*"),
    (r"py:class", r"ndarray|Tensor|'[\w* ]+'"),
    # These have no pages of their own.
    (r"py:class", r"kerascam\.explain\.(asking\.Batches|records\.Description)"),
    (r"py:class", r"kerascam\.surveying\.(looks\.ClassLook|suspects\.Suspect)"),
]

# -- pages -------------------------------------------------------------------------------------

myst_enable_extensions = [
    "amsmath",
    "attrs_block",
    "attrs_inline",
    "colon_fence",
    "deflist",
    "dollarmath",
]
myst_heading_anchors = 3
nb_execution_mode = "force"  # a build shows what the code of today does
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_output_stderr = "remove"  # TensorFlow greets on it
nb_merge_streams = True

# -- the reference -----------------------------------------------------------------------------

autosummary_generate = ["_generated/api.md"]
autosummary_ignore_module_all = False
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
# "Attributes", where Sphinx would say "Variables".
napoleon_custom_sections = [("Attributes", "params_style")]
napoleon_attr_annotations = False  # "batch *size" reads as emphasis; Attributes say the shapes
napoleon_use_rtype = False
python_maximum_signature_line_length = 88
add_module_names = False
toc_object_entries_show_parents = "hide"
# The examples of the reference run as they are printed, each page's by themselves.
doctest_default_flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

# -- looks -------------------------------------------------------------------------------------

html_theme = "furo"
html_title = f"kerascam {release}"
repository = project_urls.repository()  # "" until somebody publishes it
html_theme_options = (
    {"source_repository": repository, "source_branch": "HEAD", "source_directory": "docs/"}
    if repository
    else {}
)
# MathJax in one file, so that formulas are set without a network too.
mathjax_path = "tex-svg-full.js"
mathjax = importlib.util.find_spec("sphinx-mathjax-offline")
folders = (mathjax.submodule_search_locations if mathjax else None) or []
html_static_path = ["_static", *(f"{folder}/static/mathjax/{mathjax_path}" for folder in folders)]
html_css_files = ["site.css"]
html_show_sphinx = False
html_search_scorer = str(DOCS / "search_scorer.js")
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"

# -- links, which `make links` follows -----------------------------------------------------------

linkcheck_ignore = [r"https?://(localhost|127\.0\.0\.1)[:/].*"]
linkcheck_anchors = False
linkcheck_retries = 2

# Sphinx stores its settings in a pickle; what another package deprecates is that package's matter.
warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"(?!kerascam).*")
