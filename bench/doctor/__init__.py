"""What keeps this machine from running the model, and what to do about it.

`gather` looks (facts), `checks` judges (pure: facts in, findings out), `diagnosis` puts both together.
"""
