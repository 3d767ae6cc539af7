"""Counted operations are those of the algorithm: exact for products, and blind to views."""

import pytest
import torch

from course.operations import count_launches, count_operations


@pytest.mark.parametrize(("m", "k", "n"), [(2, 3, 5), (1, 7, 1), (4, 1, 6)])
def test_a_product_costs_its_multiply_adds(m: int, k: int, n: int) -> None:
    a, b = torch.ones(m, k), torch.ones(k, n)
    assert count_operations(torch.matmul, a, b) == m * k * n
    assert count_operations(torch.nn.functional.linear, a, b.T, torch.ones(n)) == m * k * n
    assert count_operations(torch.matmul, a, b[:, 0]) == m * k
    assert count_operations(torch.einsum, "ij,jk->ik", a, b) == m * k * n
    assert count_operations(torch.bmm, a[None].repeat(3, 1, 1), b[None].repeat(3, 1, 1)) == (
        3 * m * k * n
    )


def test_views_cost_nothing() -> None:
    def views(x: torch.Tensor) -> torch.Tensor:
        return x[:, :3].T.reshape(3, 4).unsqueeze(0).expand(5, 3, 4)[..., 1]

    assert count_operations(views, torch.ones(4, 6)) == 0


def test_elementwise_work_costs_what_it_writes_and_a_sum_what_it_reads() -> None:
    x = torch.ones(4, 6)
    assert count_operations(torch.sigmoid, x) == 24
    assert count_operations(lambda: x[:, :1] * x[0]) == 24
    assert count_operations(torch.sum, x) == 24
    assert count_operations(lambda: x.sum(1) + 1) == 24 + 4
    assert count_operations(lambda: torch.zeros(3).add_(1.0)) == 6


def test_the_count_does_not_depend_on_gradients() -> None:
    w = torch.ones(5, 5, requires_grad=True)
    assert count_operations(lambda: (w @ w).sigmoid().sum()) == 125 + 25 + 25


def test_launches_are_counted_whatever_their_size_and_views_are_none() -> None:
    small, large = torch.ones(1), torch.ones(50, 50)
    for x in (small, large):
        assert count_launches(lambda x=x: (x[:1] + 1).sigmoid()) == 2
