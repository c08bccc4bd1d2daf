"""The page says what was done, whatever was done, and needs nothing but itself."""

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest
from half_empty import additive, planted, tastes

from lowrankflow.completion import MatrixCompleter, ObservedTable, Table, page
from lowrankflow.errors import DataError

SECTIONS = (
    "missing",
    "candidates",
    "path",
    "spectrum",
    "coverage",
    "disagreements",
    "again",
)
VOID = {"meta", "link", "br", "hr", "img", "input"}
PATH = ("effects", "greedy path")
# One short path, at one penalty.
SHORT = {"method": PATH, "max_rank": 2, "penalty": 0.3}


class Reader(HTMLParser):
    """What a page has: ids, addresses, words; and whether its elements are closed."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.open, self.words = [], [], [], []
        self.tags = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "xlink:href", "srcset", "action", "data"):
                self.links.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def made(X, *, source="table.csv", table=None, fit=None, **options):
    """The words of a page, once it is known to be a good one."""
    completer = MatrixCompleter(**options).fit(X, **(fit or {}))
    return read(page(completer, table or completer.table_, source=source))


def read(text):
    found = Reader(text)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert set(SECTIONS) <= set(found.ids)
    for link in found.links:
        assert link.startswith(("#", "data:"))
        assert not link.startswith("#") or link[1:] in found.ids
    assert "script" not in found.tags
    # Names of vocabularies are no addresses.
    bare = re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert not re.search(r"https?://|@import|url\((?!#)", bare)
    for figure in re.findall(r"<figure>.*?</figure>", text, re.DOTALL):
        drawn = re.search(r"<svg.*</svg>", figure, re.DOTALL)
        element = ET.fromstring(drawn[0])
        assert element.get("role") == "img"
        assert len(element.get("aria-label")) > 20
        caption = re.search(r"<figcaption>(.*?)</figcaption>", figure, re.DOTALL)
        assert len(caption[1]) > 40
    for word in ("nan", "None ", "inf "):
        assert word not in found.text.replace("= None", "").split("parameters")[0]
    return found


@pytest.fixture(scope="module")
def noisy():
    _, table = planted(shape=(60, 40), noise=0.3, share=0.6, offset=1.0)
    table[7] = np.nan
    return table


def test_a_low_rank_table(noisy):
    found = made(noisy, **SHORT, validation=0.2)
    for part in (
        "60 rows and 40 columns",
        "Do the data look low-rank? Yes A low-rank part is better",
        "one number for all",
        "this completion",
        "1 row has no known entry ; the mean fills it: row 7.",
        "The path of the winner",
        "Certificate.",
        "intervals hold as often as they say",
        "Spreads apart",
        "MatrixCompleter(max_rank=2, method=('effects', 'greedy path'), penalty=0.3,",
        "table.csv: 60 x 40",
    ):
        assert part in found.text
    assert found.text.count("row ") > 10


def test_differences_are_those_of_errors(noisy):
    completer = MatrixCompleter(**SHORT, validation=0.2).fit(noisy)
    found = read(page(completer, completer.table_, source="t"))
    validation = completer.validation_
    gap = validation.effects_error - validation.held_out_error
    effects = next(c for c in completer.comparison_ if c.method == "effects")
    total = validation.effects_error + validation.held_out_error
    assert effects.difference / total == pytest.approx(gap)
    said = re.search(r"effects alone ([\d.]+) ([\d.]+) ± ([\d.]+)", found.text)
    numbers = [float(one) for one in said.groups()]
    expected = [validation.effects_error, gap, effects.difference_error / total]
    assert numbers == pytest.approx(expected, rel=0.05)


def test_effects_need_not_be_a_candidate(noisy):
    options = SHORT | {"validation": 0.2}
    without = made(noisy, **(options | {"method": "greedy path"})).text
    beside = made(noisy, **options).text
    pattern = r"effects alone [\d.]+ [\d.]+ ± [\d.]+"
    assert re.search(pattern, without)[0] == re.search(pattern, beside)[0]


def test_an_exact_table_has_no_disagreements():
    _, table = planted(shape=(40, 30), share=0.6)
    found = made(table, method=PATH)
    assert "There are none: the model meets every known entry" in found.text
    assert "Do the data look low-rank? Yes" in found.text


def test_an_error_in_the_table_stands_first():
    _, table = planted(shape=(50, 40), noise=0.3, share=0.6)
    table[10, 3] = 9.0
    found = made(table, **SHORT)
    said = re.search(r"Spreads apart row 10 column 3 9 \S+ ([\d.]+) ", found.text)
    most = re.search(r"would be about (\d+[.]\d)", found.text)
    assert float(said[1]) > 2 * float(most[1])


def test_effects_alone_are_said_to_be_all_there_is():
    _, table = additive()
    found = made(table, method="effects")
    assert "There is no low-rank part" in found.text
    assert "No low-rank part was compared with effects." in found.text
    rng = np.random.default_rng(0)
    noise = 3 + rng.standard_normal((40, 1)) + 0.5 * rng.standard_normal((40, 30))
    noise[rng.random(noise.shape) < 0.4] = np.nan
    text = made(noise, **SHORT, effects="both", validation=0.3).text
    assert "Do the data look low-rank? No: effects are all there is" in text


def test_pure_noise_is_not_low_rank():
    rng = np.random.default_rng(1)
    table = rng.standard_normal((40, 30))
    table[rng.random(table.shape) < 0.4] = np.nan
    text = made(table, **SHORT | {"penalty": 0.0}, validation=0.3).text
    assert re.search("look low-rank[?] (No|Hardly)", text)


def test_a_tiny_table():
    found = made([[1, np.nan, 3], [2, 5, np.nan], [4, np.nan, 6]])
    for part in (
        "Too few entries to tell",
        "Nothing was kept aside to compare on",
        "too few to keep some aside",
        "nothing says how far off",
        "One setting was tried",
        "too few known entries to see whether gaps are random",
    ):
        assert part in found.text


def test_a_blend_shows_the_paths_of_its_parts():
    _, table = tastes()
    methods = ("greedy path", "als", "bayes", "effects", "blend")
    completer = MatrixCompleter(methods, validation=0.3).fit(table)
    assert completer.method_ == "blend"
    found = read(page(completer, completer.table_, source="t"))
    assert "The paths of its parts" in found.text
    assert found.text.count(" of the blend") == len(completer.setting_["parts"])
    assert "filled by a blend, rank" in found.text


@pytest.mark.parametrize("method", ["flow", "als", "soft-impute", "bayes"])
def test_other_paths(method):
    _, table = planted(shape=(30, 20), noise=0.2, share=0.7)
    found = made(table, method=("effects", method), depth=2, max_rank=4)
    assert "Left: the best of each rank." in found.text


def test_labels_and_source_are_text():
    _, dense = planted(shape=(30, 20), noise=0.3, share=0.7)
    dense[3], dense[:, 4] = np.nan, np.nan
    evil = "<script>alert('&')</script>"
    entries = ObservedTable.of(dense)
    fields = {name: getattr(entries, name) for name in entries.__dataclass_fields__}
    fields["row_labels"] = [f"{evil}{k}" for k in range(30)]
    fields["col_labels"] = [f'<b onclick="x">{k}</b>' for k in range(20)]
    found = made(
        ObservedTable(**fields), method="effects", source=f"{evil}.csv", validation=0.3
    )
    assert f"{evil}3" in found.text
    assert '<b onclick="x">4</b>' in found.text
    assert f"{evil}.csv" in found.text


@pytest.mark.parametrize("shape", [(1, 120), (120, 1), (2, 60)])
def test_thin_tables(shape):
    rng = np.random.default_rng(0)
    table = rng.standard_normal(shape)
    table[rng.random(shape) < 0.2] = np.nan
    found = made(table, method=PATH, validation=0.3)
    alone = "has rank one whatever stands in it" in found.text
    assert alone == (min(shape) == 1)


def test_a_full_and_a_constant_table():
    found = made(np.ones((12, 12)), method=PATH)
    assert "nothing was missing" in found.text
    assert "look low-rank? No" in found.text
    assert "Effects reproduce the entries kept aside to within rounding" in found.text


def test_scaled_columns_weights_and_bounds():
    _, table = planted(shape=(80, 8), noise=0.2, share=0.8)
    table *= 10.0 ** np.arange(-3, 5)
    weights = np.random.default_rng(0).uniform(0.5, 2, table.shape)
    found = made(
        table, **SHORT, clip=(-1e7, 1e7), fit={"entry_weight": weights}, smooth=True
    )
    for part in (
        "Columns differ so much in size",
        "Entries have weights",
        "Filled cells stay within −10⁷ and 10⁷",
        "Known entries, too, were replaced",
    ):
        assert part in found.text


def test_blocks_and_dependence_are_warned_of():
    _, table = planted(shape=(60, 60), noise=0.3, share=0.9)
    table[30:, 30:] = np.nan
    found = made(table, method="effects")
    assert "The gaps come in blocks" in found.text
    assert 'validation_scheme="block"' in found.text
    found = made(table, method="effects", validation_scheme="block", validation=0.2)
    assert 'by the scheme "block"' in found.text
    rng = np.random.default_rng(0)
    level = rng.standard_normal((80, 1))
    table = level + 0.1 * rng.standard_normal((80, 50))
    table[rng.random(table.shape) > 1 / (1 + np.exp(-2 * level))] = np.nan
    found = made(table, method="effects")
    assert "Rows with more known entries have larger values" in found.text
    assert "at random, as if gaps were random" in found.text


def test_random_gaps_are_not_warned_of():
    warned = 0
    for seed in range(3):
        _, table = planted(shape=(50, 40), share=0.2, noise=0.1, seed=seed)
        warned += "Nothing speaks against it" not in made(table, method="effects").text
    # Two correlations beyond three standard errors: a false alarm in 0.5 % of tables.
    assert warned == 0


def test_an_interrupted_search():
    _, table = planted(shape=(40, 30), noise=0.3)
    found = made(table, fit={"callback": lambda _: True})
    assert "The search was ended early" in found.text
    assert "No low-rank part was compared with effects: the search" in found.text


def test_without_a_known_seed_only_what_needs_it_is_missing(noisy):
    completer = MatrixCompleter(**SHORT, validation=0.2, random_state=None).fit(noisy)
    found = read(page(completer, completer.table_, source="t"))
    assert "this cannot be repeated exactly" in found.text
    assert "± not known" in found.text
    assert "Do the data look low-rank? Yes" in found.text


def test_a_table_as_it_was_read(noisy):
    labels = np.array([f"r{k}" for k in range(60)])
    read_table = Table.of_matrix(noisy, row_labels=labels)
    found = made(noisy, method="effects", table=read_table)
    assert "effects fill it: r7." in found.text or "fills it: r7." in found.text


def test_another_table_is_refused(noisy):
    completer = MatrixCompleter("effects").fit(noisy)
    with pytest.raises(DataError, match="that the completer was fitted to: 60 x 40"):
        page(completer, ObservedTable.of(noisy[:50]), source="t")


def test_a_large_table_is_never_formed():
    rng = np.random.default_rng(0)
    shape = 200_000, 100_000  # 160 GB
    flat = np.unique(rng.integers(0, shape[0] * shape[1], 30_000))
    rows, cols = np.divmod(flat, shape[1])
    found = made(
        (rows, cols, rng.standard_normal(flat.size)),
        fit={"shape": shape},
        method="effects",
        effects="mean",
    )
    assert "200 x 200 blocks" in found.text
    assert " more." in found.text


def test_equal_results_give_equal_pages(noisy):
    completer = MatrixCompleter("effects", validation=0.2).fit(noisy)
    pages = {page(completer, completer.table_, source="t") for _ in range(2)}
    assert len(pages) == 1
