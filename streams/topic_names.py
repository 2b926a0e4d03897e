"""Archive files name topics as the contract does, whatever a deployment calls them."""

from config.topics import TopicSettings


def deployed_names(topics: TopicSettings) -> dict[str, str]:
    """Contract's name of a topic -> its name in this deployment's Kafka.

    >>> deployed_names(TopicSettings(prefix="eu."))["orders"]
    'eu.orders'
    """
    return {str(TopicSettings.model_fields[topic].default): topics.name(topic) for topic in TopicSettings.NAMES}


def contract_names(topics: TopicSettings) -> dict[str, str]:
    """Name of a topic in this deployment's Kafka -> its name in the contract."""
    return {deployed: contract for contract, deployed in deployed_names(topics).items()}
