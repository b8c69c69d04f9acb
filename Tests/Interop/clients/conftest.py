import uuid

import pytest

from support.processes import Broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    broker = Broker(tmp_path_factory.mktemp("clients")).start()
    yield broker
    assert broker.is_running, f"the broker ended during the tests; its log:\n{broker.tail()}"
    assert broker.stop() == 0, broker.tail()


@pytest.fixture
def topic():
    return f"t-{uuid.uuid4().hex[:10]}"
