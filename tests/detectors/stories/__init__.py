"""Stories: what happens to a merchant, step by step, as a policy owner would tell it. Each is a row of a YAML file."""
