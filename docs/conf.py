"""How Sphinx makes the site: README.md is its first page, and every page is a Markdown file that GitHub shows, too."""

from sphinx.application import Sphinx

CONTENTS = {
    "Use it": [
        "docs/tutorial",
        "docs/quantized",
        "docs/doctor",
        "docs/pytorch",
        "docs/onnxruntime",
        "docs/jax",
        "docs/numba",
        "docs/dask",
        "docs/c",
        "docs/builds",
        "docs/tflm",
        "docs/firmware",
    ],
    "Trust it": ["docs/guarantees", "docs/proofs", "docs/targets", "docs/speed", "docs/api"],
    "Change it": [
        "docs/architecture",
        "CONTRIBUTING",
        "SECURITY",
        "benchmarks/README",
        "cross/README",
        "docs/wheels",
        "docs/release",
        "CHANGELOG",
    ],
}

project = "fastleaky"
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "benchmarks/README.md", "cross/README.md"]
exclude_patterns = [".venv*", "build*"]
myst_heading_anchors = 3  # as GitHub makes them

autodoc_typehints = "none"  # the docstrings give the types
numpydoc_show_class_members = False

html_theme = "furo"
html_title = "fastleaky"
html_show_sourcelink = False
html_show_copyright = False
html_extra_path = ["index.html"]  # leads to README.html
html_static_path = ["site.css"]
html_css_files = ["site.css"]


def add_toctree(_: Sphinx, page: str, source: list[str]) -> None:
    """Add the table of contents, which GitHub would show as code."""
    if page == root_doc:
        for caption, pages in CONTENTS.items():
            source[0] += "\n".join(["\n```{toctree}", f":caption: {caption}", ":hidden:", *pages, "```\n"])


def setup(app: Sphinx) -> None:
    """Register `add_toctree`."""
    app.connect("source-read", add_toctree)
