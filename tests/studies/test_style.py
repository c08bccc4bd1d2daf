import re
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from toy import Toy, collection

from lowrankflow.errors import SpecError
from lowrankflow.studies import (
    METHODS,
    Sample,
    depth_look,
    draw,
    draw_samples,
    method_look,
    panels,
    slug,
    spectrum_colors,
    styled,
    themed,
    to_svg,
)
from lowrankflow.studies.samples import as_sample
from lowrankflow.studies.style import INK

FINALS = {2: [0.3, 0.4, 0.5], 3: [0.01, 0.02, 0.03]}


def luminance(color):
    """Of WCAG 2, from a hexadecimal colour."""
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_equal_data_give_equal_bytes():
    first, second = (draw(Toy(), collection(FINALS)) for _ in range(2))
    assert first == second
    assert not re.search(r"20\d\d-\d\d-\d\d|Matplotlib", first)
    assert draw(Toy(), collection({2: [0.3], 3: [0.1]})) != first


def test_ids_are_unique_over_figures_and_point_to_something():
    one = draw(Toy(), collection(FINALS))
    other = one.replace(slug(Toy.key), "x")
    ids = re.findall(r' id="([^"]+)"', one)
    assert len(ids) > 10
    assert len(set(ids)) == len(ids)
    assert all(name.startswith("arora2019-toy-") for name in ids)
    used = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', one)
    assert {a or b for a, b in used} <= set(ids)
    assert not set(ids) & set(re.findall(r' id="([^"]+)"', other))


def test_a_figure_is_an_element_with_a_text():
    with styled():
        figure, _ = panels(1, 1)
        svg = to_svg(figure, "arora2019/a", 'a "figure" of x < y & z')
    assert svg.startswith('<svg role="img" aria-label="a &quot;figure&quot; of x')
    root = ElementTree.fromstring(svg)
    assert root.get("aria-label") == 'a "figure" of x < y & z'
    assert "<text" not in svg  # the text is drawn: no font is needed
    assert f"var(--ink, {INK})" in themed(svg)


def test_nothing_outside_changes():
    before = dict(matplotlib.rcParams)
    draw(Toy(), collection(FINALS))
    assert dict(matplotlib.rcParams) == before


def test_a_look_is_the_same_everywhere_and_never_told_by_colour_alone():
    looks = [depth_look(depth) for depth in range(1, 6)]
    assert looks[2] == depth_look(3)
    assert len({look.color for look in looks}) == 5
    assert len({look.marker for look in looks}) == 5
    assert looks[1].label == "depth 2"
    variants = [depth_look(2, variant=k, label="small") for k in range(4)]
    assert len({look.linestyle for look in variants}) == 4
    assert len({(m.color, m.marker, m.linestyle) for m in METHODS.values()}) == 6
    with pytest.raises(SpecError, match="min_nuclear_norm"):
        method_look("magic")


@pytest.mark.parametrize("page", ["#ffffff", "#14171b"])
def test_colours_are_seen_on_light_and_dark_pages(page):
    colors = [depth_look(depth).color for depth in range(1, 6)]
    colors += [look.color for look in METHODS.values() if look.color != INK]
    colors += spectrum_colors(10)
    # WCAG 2 asks 3 of what is not text.
    assert min(contrast(color, page) for color in colors) >= 3


def test_samples_without_numbers_are_left_out():
    empty = Sample(values=np.empty(0), seeds=(), missing=("it failed",))
    diverged = Sample(values=np.array([np.inf, np.nan]), seeds=(0, 1))
    good = Sample(values=np.array([1.0, 3.0]), seeds=(0, 1))
    with styled():
        figure, ((axes,),) = panels(1, 1)
        draw_samples(axes, [1, 2, 3], [empty, good, diverged], depth_look(2))
        draw_samples(axes, [1], [empty], depth_look(3))
        (line,) = axes.get_lines()
        assert line.get_xdata().tolist() == [2]
        assert line.get_ydata().tolist() == [2]
        to_svg(figure, "a", "")


def test_bars_of_one_standard_deviation_end_at_the_least_number():
    samples = [as_sample([1.0, 2.0, 3.0]), as_sample([1.0, 1.0, 10.0]), as_sample([2])]
    with styled():
        figure, ((axes,),) = panels(1, 1)
        draw_samples(axes, [1, 2, 3], samples, depth_look(2), bars="deviation")
    (bars,) = axes.collections
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    assert ends[0] == [1.0, 3.0]
    assert ends[1] == [1.0, pytest.approx(4.0 + 27**0.5)]
    assert ends[2] == [2.0, 2.0]


def test_a_figure_of_a_collection_with_failures():
    failed = ({"method": "flow", "depth": 4, "seed": 0}, "no memory")
    assert "<svg" in draw(Toy(), collection(FINALS, [failed]))
