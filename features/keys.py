"""Names of entities within a shard.

An order or listing belongs to its merchant: ids of other merchants can't collide with it. The parts are joined by a
colon; a colon or per cent sign in the merchant's id is escaped, so that a key reads back unambiguously.
"""

from urllib.parse import unquote


def entity_key(merchant_id: str, entity_id: str) -> str:
    """Key of an order or listing of a merchant."""
    if ":" in merchant_id or "%" in merchant_id:
        merchant_id = merchant_id.replace("%", "%25").replace(":", "%3A")
    return f"{merchant_id}:{entity_id}"


def key_prefix(merchant_id: str) -> str:
    """What the keys of all orders and listings of a merchant begin with; the entity's id follows."""
    return entity_key(merchant_id, "")


def split_key(key: str) -> tuple[str, str]:
    """Merchant id and entity id of a key."""
    merchant_id, _, entity_id = key.partition(":")
    return (unquote(merchant_id) if "%" in merchant_id else merchant_id), entity_id
