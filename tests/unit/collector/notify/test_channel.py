"""What a channel raises."""

from collector.notify.channel import DeliveryFailed


def test_a_failure_knows_whether_trying_again_can_help() -> None:
    assert DeliveryFailed("HTTP 404", is_permanent=True).is_permanent
    assert str(DeliveryFailed("HTTP 503", is_permanent=False)) == "HTTP 503"
