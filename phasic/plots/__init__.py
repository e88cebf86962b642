"""Pictures as Matplotlib figures and as PNG or SVG files.

Functions of a distribution, states, eliminations, site-frequency spectra, particles, the use of the
cache. Needs Matplotlib (`pip install 'phasic[plot]'`), which is imported when a figure is made.
Figures are objects of their own: nothing here touches pyplot or Matplotlib's settings.
"""

from .cache_use import plot_cache_use
from .curves import WHATS, plot_function
from .elimination import plot_elimination
from .files import FORMATS, save_figure, svg_element
from .particles import plot_pairs, plot_trace
from .pattern import Pattern, elimination_pattern
from .spectrum import Spectrum, plot_covariance, plot_spectrum, spectrum
from .state_graph import MOST_VERTICES, plot_graph

__all__ = [
    "FORMATS",
    "MOST_VERTICES",
    "WHATS",
    "Pattern",
    "Spectrum",
    "elimination_pattern",
    "plot_cache_use",
    "plot_covariance",
    "plot_elimination",
    "plot_function",
    "plot_graph",
    "plot_pairs",
    "plot_spectrum",
    "plot_trace",
    "save_figure",
    "spectrum",
    "svg_element",
]
