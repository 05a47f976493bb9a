"""Callbacks on their own: which requests they answer, and with what."""

import pytest
from tests.library import LibraryObject
from tests.library_node import failed
from tests.transports import PATIENCE_S

from carbon_node.transport.sustainml.callbacks import Callbacks, Deadlines
from carbon_node.wire.contract import Arrival
from carbon_node.wire.samples import ConfigurationRequest, ConfigurationResponse


def requested(node_id: int) -> LibraryObject:
    """Let callbacks answer a request, and return the response."""
    response = LibraryObject()
    callbacks: Callbacks

    def grant(arrivals: list[Arrival]) -> None:
        (request,) = (arrival.sample for arrival in arrivals)
        assert isinstance(request, ConfigurationRequest)
        assert request.node_id == 1
        callbacks.answer_request(
            ConfigurationResponse(1, request.transaction_id, success=True, configuration="done")
        )

    callbacks = Callbacks(Deadlines(PATIENCE_S), failed, grant, pytest.fail)
    callbacks.on_request(
        LibraryObject(node_id=node_id, transaction_id=9, configuration=""), response
    )
    return response


@pytest.mark.parametrize("node_id", [0, 1])
def test_a_request_is_answered_with_the_ids_that_it_came_with(node_id: int) -> None:
    """Even with id 0, which the library's main branch leaves in every request."""
    assert requested(node_id).values == {
        "node_id": node_id,
        "transaction_id": 9,
        "success": True,
        "err_code": 0,
        "configuration": "done",
    }


@pytest.mark.parametrize("node_id", [-1, 2])
def test_a_request_to_another_node_is_left_alone(node_id: int) -> None:
    """Nothing is written into the response to it."""
    assert requested(node_id).values == {}


def test_a_request_that_nobody_answers_is_refused_in_time() -> None:
    """The caller, who waits without a timeout, hears why."""
    response = LibraryObject()
    callbacks = Callbacks(Deadlines(PATIENCE_S, 0.0), failed, lambda _: None, pytest.fail)
    callbacks.on_request(LibraryObject(node_id=1, transaction_id=9, configuration=""), response)
    assert (response.values["success"], response.values["err_code"]) == (False, 1)
    assert '"code": "timeout"' in str(response.values["configuration"])
