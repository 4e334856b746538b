"""The service asked by hand: the account, tasks, workflows, apps and callbacks."""
