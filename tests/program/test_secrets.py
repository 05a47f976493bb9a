"""A user's token is nowhere to be found in what the program writes, keeps, shows and publishes."""

import asyncio
import json
import urllib.request
from pathlib import Path

from tests.callers import calling
from tests.domains import fresh_domain
from tests.program.processes import NodeProcess, running_node

from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import CO2Footprint, HWResource, MLModel, NodeStatus, TaskId
from carbon_node.wire.samples import UserInput as User

TOKEN = "hf_PlantedTokenOfAUser0123456789"  # noqa: S105  # planted to be looked for
LIVE_KEY = "planted-electricity-maps-key"
QUOTING = f"401 Client Error: token {TOKEN} is not valid for https://hub/api?token={TOKEN}"
PATHS = ("/api/status", "/api/results", "/api/settings", "/metrics", "/healthz", "/openapi.json")


def tasks() -> list[tuple[User, MLModel, HWResource]]:
    """Tasks that carry the token, and peers and clients that repeat it elsewhere."""
    secret = json.dumps({"hf_token": TOKEN, "goal": "x", "deep": [{"api_key": TOKEN}]}).encode()
    broken = f'{{"hf_token": "{TOKEN}", '.encode()
    error = json.dumps({"error": QUOTING, "nested": {"why": [QUOTING]}}).encode()
    good = (User(extra_data=secret), MLModel(model="m"), HWResource("hw", 300.0, 1.0))
    variants = [
        good,
        (User(extra_data=broken), *good[1:]),
        (good[0], MLModel(model="m", extra_data=error), good[2]),
        (good[0], good[1], HWResource("hw", 300.0, 1.0, extra_data=error)),
        (good[0], MLModel(model=QUOTING, model_path=f"/models/{TOKEN}"), good[2]),
        (good[0], good[1], HWResource(QUOTING, float("nan"), 1.0)),
        (User(geo_location_region=QUOTING, extra_data=secret), *good[1:]),
    ]
    return [_numbered(inputs, TaskId(number, 1)) for number, inputs in enumerate(variants, 1)]


def _numbered(
    inputs: tuple[User, MLModel, HWResource], task_id: TaskId
) -> tuple[User, MLModel, HWResource]:
    user, model, hardware = inputs
    return (
        User(
            geo_location_region=user.geo_location_region,
            extra_data=user.extra_data,
            task_id=task_id,
        ),
        MLModel(model.model_path, model.model, extra_data=model.extra_data, task_id=task_id),
        HWResource(
            hardware.hw_description,
            hardware.power_consumption,
            hardware.latency,
            extra_data=hardware.extra_data,
            task_id=task_id,
        ),
    )


def published(domain: int) -> bytes:
    """Submit all tasks; everything that peers receive from the node because of them."""

    async def scenario() -> bytes:
        async with calling(domain) as caller:
            for user, model, hardware in tasks():
                caller.transport.publish(Topic.USER_INPUT, user)
                caller.transport.publish(Topic.ML_MODEL, model)
                caller.transport.publish(Topic.HW_RESOURCE, hardware)
            for user, _, _ in tasks():
                await caller.output(user.task_id)
            results = await caller.call('{"results": {"last": 100}}')
            settings = await caller.call('{"get": "all"}')
            received = [each for each in caller.received if isinstance(each, NodeStatus)]
            octets = [each.extra_data for each in caller.received if isinstance(each, CO2Footprint)]
            return b"\n".join([*octets, repr([received, results, settings]).encode()])

    return asyncio.run(scenario())


def shown(node: NodeProcess) -> bytes:
    """Everything that the local interface answers."""
    address = node.wait_for_event("local interface")["address"]
    answers = []
    for path in PATHS:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
            answers.append(answer.read())
    return b"\n".join(answers)


def kept(state_dir: Path) -> bytes:
    """The content of all files below the state directory."""
    return b"\n".join(path.read_bytes() for path in state_dir.rglob("*") if path.is_file())


def test_no_secret_of_a_user_or_of_the_settings_gets_out(tmp_path: Path) -> None:
    """Log, files, local interface and all published samples are free of the token and of the key.

    The test can fail: what was said around the token is there.
    """
    domain = fresh_domain()
    env = {
        "CARBON_NODE_TRACKER__MODE": "formula",
        "CARBON_NODE_LIVE_KEY": LIVE_KEY,
        "CARBON_NODE_PERSIST_CONFIGURATION": "true",
    }
    options = ["--http-listen=127.0.0.1:0", "--log-level=debug"]
    with running_node(domain, tmp_path, *options, env=env) as node:
        published_text = published(domain)
        interface_text = shown(node)
        assert node.stop() == 0
    log_text = "\n".join(node.lines).encode()

    everywhere = b"\n".join([published_text, interface_text, log_text, kept(tmp_path)])
    assert TOKEN.encode() not in everywhere
    assert LIVE_KEY.encode() not in everywhere
    for text in (published_text, interface_text, log_text):
        assert b"401 Client Error: token [redacted] is not valid" in text
