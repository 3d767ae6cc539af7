# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
#   lesson:
#     name: 01_coin
#     title: "A coin, and what it costs"
#     question: "How many nats does one flip of a biased coin carry?"
#     minutes: 15
#     prerequisites: [00_counting]
# ---

# %% [markdown]
r"""
A flip lands heads with probability $\theta$; its surprise is $-\log \theta$, in nats.
"""

# %%
import math

# %% exercise="surprise"
def surprise(theta):
    """Nats carried by an event of probability theta, in (0, 1]."""
    ### BEGIN SOLUTION
    return -math.log(theta)
    ### END SOLUTION


# %% check="surprise" points=2
check(surprise)

# %% tags=["demo"]
boom = surprise(0.5) / 0  # a demo may fail: nothing below may need it

# %% [markdown]
r"""
<details><summary>Hint</summary>Weight each surprise by its probability, $\frac{1}{2}$ and so on.</details>
"""

# %% exercise="Coin"
class Coin:
    """A coin that knows its entropy."""

    def __init__(self, theta):
        ### BEGIN SOLUTION
        self.theta = float(theta)
        ### END SOLUTION

    def entropy(self):
        """Nats; 0 log 0 = 0."""
        ### BEGIN SOLUTION
        sides = [self.theta, 1 - self.theta]
        return sum(p * surprise(p) for p in sides if p > 0)
        ### END SOLUTION


# %% check="Coin" points=3
check(Coin)

# %% [markdown] question="why_fair" points=2
r"""
Why is a fair coin's entropy the largest? Two sentences.

### BEGIN SOLUTION
Entropy is concave and symmetric in theta, so its maximum lies at one half.

Rubric: 1 point for concavity (or the derivative), 1 point for the symmetry.
### END SOLUTION
"""

# %% [markdown]
r"""
## Sources

Shannon (1948), section 6.
"""
