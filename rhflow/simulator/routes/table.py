"""Every operation of the service, in the order in which paths are matched; the first that fits answers."""

from __future__ import annotations

from rhflow.simulator.routes import account, apps, assets, comfyui, models, tasks, uploads, webhooks
from rhflow.simulator.routes.operation import Operation

OPERATIONS: tuple[Operation, ...] = (
    *tasks.OPERATIONS,
    *uploads.OPERATIONS,
    *account.OPERATIONS,
    *webhooks.OPERATIONS,
    *apps.OPERATIONS,
    *assets.OPERATIONS,
    *comfyui.OPERATIONS,
    *models.OPERATIONS,
)
"""Hosted models come last: their paths are those that nobody else has."""
