# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation:
#       extension: .py
#       format_name: percent
#   lesson:
#     name: A1_tosses
#     title: "Tosses"
#     question: "How often does a coin land the same way twice?"
#     minutes: 5
#     prerequisites: [01_coin]
# ---

# %% [markdown]
r"""
Half of the time, if it is fair.
"""


# %%
def toss(generator):
    """0 or 1."""
    return int(generator.random() < 0.5)


# %% tags=["demo"]
print(toss)
