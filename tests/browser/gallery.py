"""One example of every widget, of a lesson's kind and size, for what is tested of them all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from autograder.lessons import solution_functions
from course import pretrained
from figures import arrow, attention, codec, completion, mask_explorer, sharing
from figures.arrow import ArrowExplorer
from figures.attention import AttentionExplorer
from figures.attention_steps import AttentionSteps
from figures.chain import ChainExplorer
from figures.dag_editor import DagEditor
from figures.dependency import dependency_explorer
from figures.dilation_tree import DilationTree
from figures.evidence import EvidenceExplorer
from figures.kl_explorer import KLExplorer
from figures.mask_explorer import MaskExplorer
from figures.mixture_explorer import MixtureExplorer
from figures.predict import Prediction
from figures.receptive_field import ReceptiveFieldExplorer
from figures.sampling import SamplingPlayer
from figures.sharing import SharingExplorer
from figures.table_size import TableSize
from figures.widget import Widget
from tests.browser import (
    test_attention,
    test_chain,
    test_codec,
    test_completion,
    test_dag_editor,
    test_dilation_tree,
    test_mixture_explorer,
    test_next_token,
    test_parameter_growth,
    test_receptive_field,
    test_sampling,
    test_sharing,
    test_unrolled,
)
from tests.browser.picture import DEGREES, build_masks


def _masks() -> MaskExplorer:
    return MaskExplorer.of(build_masks, lambda *_: DEGREES, n=5, hidden_sizes=(7, 7))


def _receptive_field() -> ReceptiveFieldExplorer:
    build, predict = {"plain": test_receptive_field.plain}, {"plain": test_receptive_field.field}
    return ReceptiveFieldExplorer.of_stacks(build, predict, side=11, depth=3)


def _prediction(choice: int = -1) -> Prediction:
    shown = Prediction("How many numbers?", ["two million", "forty million"], 1, "It squares.")
    shown._choice = choice
    return shown


def _dependency() -> Widget:
    return dependency_explorer(nn.Conv2d(1, 1, 3, padding=1), torch.zeros(1, 1, 9, 9))


def _sampling() -> Widget:
    player = test_sampling.player()
    player._step = player._n
    return player


def _evidence() -> EvidenceExplorer:
    random = np.random.default_rng(0)
    factors = [random.dirichlet(np.ones(3), size=(3,) * i) for i in range(4)]
    return EvidenceExplorer(factors, "abc", "?b?a")


def _next_token() -> Widget:
    return test_next_token.NextToken.of(
        test_next_token.next_probs, *test_next_token.row(400), texts=test_next_token.TEXTS
    )


def _sharing() -> SharingExplorer:
    return SharingExplorer.of(test_sharing.nade, *test_sharing.numbers(6, 4), x=[1, 0, 1, 1, 0, 1])


def _steps() -> AttentionSteps:
    return AttentionSteps.of(pretrained.language_model(), "What is the matter, my good lord?")


# By the name of the widget's module.
GALLERY: dict[str, Callable[[], Widget]] = {
    "arrow": ArrowExplorer,
    "attention": test_attention.explorer,
    "attention_steps": _steps,
    "chain": lambda: ChainExplorer(test_chain.some_table(0)),
    "codec": lambda: test_codec.explorer(n=64),
    "completion": test_completion.explorer,
    "dag_editor": lambda: DagEditor(test_dag_editor.bayes_net_parameters),
    "dependency": lambda: dependency_explorer(
        nn.Conv2d(1, 1, 3, padding=1), torch.zeros(1, 1, 9, 9)
    ),
    "dilation_tree": lambda: DilationTree.of(test_dilation_tree.Causal, test_dilation_tree.field),
    "evidence": _evidence,
    "kl_explorer": lambda: KLExplorer(whole=True),
    "mask_explorer": _masks,
    "mixture_explorer": lambda: MixtureExplorer(test_mixture_explorer.COUNTS),
    "next_token": _next_token,
    "parameter_growth": test_parameter_growth.growth,
    "predict": _prediction,
    "receptive_field": _receptive_field,
    "sampling": _sampling,
    "sharing": _sharing,
    "table_size": lambda: TableSize(bits=200),
    "unrolled": test_unrolled.unrolled,
}


def _rewriting() -> Widget:
    picture = _next_token()
    picture.rewrite("here", lambda T, k, p: ([f" {T:g}", f" {k}"], [1.0, 2.0]))
    return picture


def _bells() -> MixtureExplorer:
    function = solution_functions("07_continuous")["discretized_logistic_mixture"]
    return MixtureExplorer.of(function, test_mixture_explorer.COUNTS)


# Those that ask the kernel while one plays, for which some need functions.
ASKING: dict[str, Callable[[], Widget]] = {
    **{name: GALLERY[name] for name in ("attention_steps", "completion", "dag_editor", "evidence")},
    "kl_explorer": lambda: KLExplorer.of(*(abs,) * 3),
    "mask_explorer": _masks,
    "mixture_explorer": _bells,
    "next_token": _rewriting,
}


def leaky() -> dict[str, Callable[[], Widget]]:
    """The same where something is wrong with what is drawn."""
    function = test_completion.leaking
    return {
        "attention": lambda: test_attention.explorer(leak=True),
        "codec": lambda: test_codec.explorer(peek=True),
        "dependency": lambda: dependency_explorer(lambda x: x.flip(1), torch.zeros(1, 8)),
        "completion": lambda: test_completion.explorer(function),
        "dilation_tree": lambda: DilationTree.of(
            test_dilation_tree.Centered, test_dilation_tree.field
        ),
        "mask_explorer": lambda: MaskExplorer([torch.ones(5, 4), torch.ones(4, 5)]),
        "predict": lambda: _prediction(0),
        "sharing": lambda: SharingExplorer.of(
            test_sharing.column_first, *test_sharing.numbers(6, 4), x=[1, 0, 1, 1, 0, 1]
        ),
        "unrolled": lambda: test_unrolled.unrolled(test_unrolled.early),
    }


def _wide_masks() -> MaskExplorer:
    widest = mask_explorer.MOST_UNITS
    degrees = [1 + np.arange(widest) % (widest - 1) for _ in range(2)]
    return MaskExplorer.of(build_masks, lambda *_: degrees, n=widest, hidden_sizes=(widest,) * 2)


def _scanned() -> SamplingPlayer:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, size=(2, 1, 28, 28))
    chances = random.dirichlet(np.ones(256), size=(2, 1, 28, 28)).transpose(0, 4, 1, 2, 3)
    player = SamplingPlayer(images, 256, chances)
    player._step = player._n
    return player


def _causal_layer() -> Widget:
    weight = torch.ones(784, 784).triu(1)
    return dependency_explorer(lambda x: x @ weight.to(x.dtype), torch.zeros(1, 784))


def _long_line() -> Widget:
    line = (torch.arange(attention.MOST_TOKENS) % 8)[None]
    return AttentionExplorer.of(test_attention.Model(), line, decode=test_attention.decode)


def _wide_table() -> ChainExplorer:
    table = np.random.default_rng(0).dirichlet(np.ones(81)).reshape(3, 3, 3, 3)
    return ChainExplorer(table)


def _large_vocabulary() -> Widget:
    row = test_next_token.row(50_257)  # GPT-2's
    return test_next_token.NextToken.of(test_next_token.next_probs, *row)


def _picture_completion() -> Widget:
    random = torch.Generator().manual_seed(0)
    n = completion.MOST_SIDE**2
    weight, bias = torch.randn(n, n, generator=random), torch.randn(n, generator=random)
    x = torch.randint(0, 2, (n,), generator=random)
    functions = test_completion.causal, test_completion.complete
    return completion.CompletionExplorer.of(*functions, weight, bias, x=x)


def _deep_stacks() -> ReceptiveFieldExplorer:
    return ReceptiveFieldExplorer.of_model(nn.Conv2d(1, 1, 5, padding=2), 20, 20, reach=2)


# The most that a widget takes: a mask of 784×784, as a scanned digit's, where it takes one.
LARGEST: dict[str, Callable[[], Widget]] = {
    "arrow": lambda: ArrowExplorer(eps=np.linspace(0.1, 4, arrow.MOST_VARIANCES).tolist()),
    "attention": _long_line,
    "chain": _wide_table,
    "codec": lambda: test_codec.explorer(n=codec.MOST_SYMBOLS, count=codec.MOST_EXAMPLES),
    "completion": _picture_completion,
    "dependency": _causal_layer,
    "mask_explorer": _wide_masks,
    "next_token": _large_vocabulary,
    "receptive_field": _deep_stacks,
    "sampling": _scanned,
    "sharing": lambda: SharingExplorer.of(
        test_sharing.nade, *test_sharing.numbers(sharing.MOST_VARIABLES, sharing.MOST_HIDDEN)
    ),
}
# What these draw has one size, or a handful of them: the gallery's example is as large as any.
ONE_SIZE = {
    "attention_steps",
    "dag_editor",
    "dilation_tree",
    "evidence",
    "kl_explorer",
    "mixture_explorer",
    "parameter_growth",
    "predict",
    "table_size",
    "unrolled",
}
