"""One example of every widget, of a lesson's kind and size, for what is tested of them all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from autograder.lessons import solution_functions
from course import pretrained
from figures.arrow import ArrowExplorer
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
