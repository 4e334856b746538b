"""What a call would cost, told by the service itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rhflow.core.values import Money
from rhflow.runninghub.transport.session import Question, Session
from rhflow.runninghub.wire.envelope import error_in, members_of, unreadable
from rhflow.runninghub.wire.errors import ApiError
from rhflow.runninghub.wire.members import amount_of, count_of, text_of


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of one call. A price of 0 does not mean that it is ``free``: some models are priced afterwards."""

    price: Money
    free: bool
    free_calls_left: int | None
    text: str
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Prices(Session):
    """Questions about prices."""

    async def price_preview(self, endpoint: str, inputs: Mapping[str, Any]) -> Quote:
        """Return what a model call with these inputs would cost; the service checks them as if it were made."""

        def read(body: bytes, status: int) -> Quote | ApiError:
            return read_quote(body, http_status=status, currency=self.connection.currency)

        path = f"/openapi/v2/price-preview/{endpoint}"
        return await self.ask(Question("price", f"the price of `{endpoint}`", path, read, inputs))


def read_quote(body: bytes, *, http_status: int = 200, currency: str = "CNY") -> Quote | ApiError:
    """Read a price; ``currency`` is the site's, for a reply that names none."""
    reply = members_of(body, http_status)
    if error := error_in(reply, http_status):
        return error
    amount = amount_of(reply.get("estimatedPrice"))
    if amount is None:
        return unreadable("it has no price", http_status)
    return Quote(
        price=Money(amount, text_of(reply.get("currency")) or currency),
        free=reply.get("isFreeThisCall") is True,
        free_calls_left=count_of(reply.get("remainingFreeLimitCount")),
        text=text_of(reply.get("priceTextEn")) or text_of(reply.get("priceText")),
        raw=reply,
    )
