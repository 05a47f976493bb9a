"""A user's token is nowhere in what the program writes, keeps, shows and publishes."""

import http.client
import itertools
import json
import re
from pathlib import Path

import psutil
import pytest
from tests.callers import Caller, calling
from tests.domains import fresh_domain
from tests.patience import PATIENCE_S
from tests.program.processes import NodeProcess, running_node

from carbon_node.wire.contract import NODE_NAME, Topic
from carbon_node.wire.samples import (
    CO2Footprint,
    ConfigurationResponse,
    HWResource,
    MLModel,
    NodeCommand,
    NodeControl,
    NodeStatus,
    TaskCommand,
    TaskId,
)
from carbon_node.wire.samples import UserInput as User

pytestmark = pytest.mark.anyio

TOKEN = "hf_PlantedTokenOfAUser0123456789"  # noqa: S105  # planted to be looked for
LIVE_KEY = "planted-electricity-maps-key"
HTTP_TOKEN = "planted-token-of-the-local-interface"  # noqa: S105 - likewise
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


async def published(domain: int) -> bytes:
    """Submit all tasks; everything that peers receive from the node because of them."""
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


def shown(node: NodeProcess, token: str = "") -> bytes:
    """Everything that the local interface answers, to those who know its token and to others."""
    address = node.wait_for_event("local interface")["address"]
    answers = []
    for path, headers in itertools.product(PATHS, ({}, {"Authorization": f"Bearer {token}"})):
        connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answers.append(f"{answer.status} {answer.getheaders()}".encode() + answer.read())
        connection.close()
    return b"\n".join(answers)


def kept(state_dir: Path) -> bytes:
    """The content of all files below the state directory."""
    return b"\n".join(path.read_bytes() for path in state_dir.rglob("*") if path.is_file())


async def test_no_secret_of_a_user_or_of_the_settings_gets_out(tmp_path: Path) -> None:
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
        published_text = await published(domain)
        interface_text = shown(node)
        assert node.stop() == 0
    log_text = "\n".join(node.lines).encode()

    everywhere = b"\n".join([published_text, interface_text, log_text, kept(tmp_path)])
    assert TOKEN.encode() not in everywhere
    assert LIVE_KEY.encode() not in everywhere
    for text in (published_text, interface_text, log_text):
        assert b"401 Client Error: token [redacted] is not valid" in text


KEYS = (
    *("hf_token", "HFTOKEN", "hftoken", "apitoken", "authtoken", "tokens", "access_tokens"),
    *("secretkey", "openai_key", "auth", "pwd", "pass", "jwt", "cookie", "sessionid", "signature"),
    *("sas", "access_key", "private_key", "x-api-key", "passphrase", "bearer", "Authorization"),
)
"""Keys under which the user input's extra_data holds a secret each; each peer quotes it."""

NOTATIONS = (
    "see https://me:{}@host/path",
    "https://host/m?token={}&x=1",
    "https://host/m?key={}",
    "Authorization: Bearer {}",
    "hf_token={}",
    "%7B%22hf_token%22%3A%22{}%22%7D",
    "hf%5Ftoken%3D{}",
    '{{"hf_token": ["a", "{}"',
    "Cookie: theme=dark; sid={}",
)
"""How peers spell secrets that nobody has registered."""


def planted(number: int) -> str:
    """A secret that occurs once in all that is planted, and has no known shape."""
    return f"Planted-{number:03}-of-a-User"


def full_of_secrets() -> list[tuple[User, MLModel, HWResource]]:
    """Tasks with a secret under each key, in each place and notation, and quoted elsewhere."""
    numbers = itertools.count(1)
    values = [planted(next(numbers)) for _ in KEYS]
    many = {key: [{"value": value}] for key, value in zip(KEYS, values, strict=True)}
    quoting = " and ".join(values)
    found = [
        (
            User(geo_location_region=quoting, extra_data=json.dumps(many).encode()),
            MLModel(model=quoting, extra_data=json.dumps({"error": quoting}).encode()),
            HWResource(quoting, 300.0, 1.0),
        )
    ]
    for notation in NOTATIONS:
        model, hardware, place, restrained, why, broken = (
            notation.format(planted(next(numbers))) for _ in range(6)
        )
        restrains = json.dumps({"model_restrains": [restrained]}).encode()
        user = User(geo_location_region=place, extra_data=restrains)
        found += [
            (user, MLModel(model=model), HWResource(hardware, 300.0, 1.0)),
            (
                User(extra_data=broken.encode()),
                MLModel(model=broken[-40:], extra_data=json.dumps({"error": why}).encode()),
                HWResource("hw", 300.0, 1.0),
            ),
        ]
    return [_numbered(inputs, TaskId(number, 1)) for number, inputs in enumerate(found, 1)]


async def _everything_else(caller: Caller, task_id: TaskId) -> list[object]:
    """Commands with secrets in their senders' names, and configuration requests with secrets."""
    secrets = (planted(900 + number) for number in itertools.count())
    for command in (
        {"cmd_node": NodeCommand.STOP},
        {"cmd_task": TaskCommand.STOP},
        {"cmd_task": TaskCommand.RESET},
        {"cmd_node": NodeCommand.START},
    ):
        sender = f"https://me:{next(secrets)}@host"
        caller.transport.publish(
            Topic.CONTROL,
            NodeControl(**command, target_node=NODE_NAME, source_node=sender, task_id=task_id),
        )
    return [
        await caller.ask_both(request)
        for request in (
            {"set": {"pue": f"token={next(secrets)}"}},
            {"set": {"pue": {"hf_token": next(secrets)}}},
            {"set": {"live_key": next(secrets)}},
            {"set": {f"hf_token={next(secrets)}": 1}},
            {f"https://me:{next(secrets)}@host": 1},
            f'{{"get": "hf_token={next(secrets)}',
        )
    ]


async def _published_of(domain: int, submitted: list[tuple[User, MLModel, HWResource]]) -> bytes:
    async with calling(domain) as caller:
        for user, model, hardware in submitted:
            for topic, sample in (
                (Topic.USER_INPUT, user),
                (Topic.ML_MODEL, model),
                (Topic.HW_RESOURCE, hardware),
            ):
                caller.transport.publish(topic, sample)
        for user, _, _ in submitted:
            await caller.output(user.task_id)
        told = await _everything_else(caller, submitted[0][0].task_id)
        await caller.wait_for_status(lambda status: sum(status["commands"].values()) >= 4)
        told.append(await caller.call('{"results": {"last": 100}}'))
        told += [
            each
            for each in caller.received
            if isinstance(each, (NodeStatus, ConfigurationResponse))
        ]
        octets = [each.extra_data for each in caller.received if isinstance(each, CO2Footprint)]
        return b"\n".join([*octets, repr(told).encode()])


async def test_no_planted_secret_gets_out_whatever_its_key_place_or_notation(
    tmp_path: Path,
) -> None:
    """Log, files, local interface, outputs, status and replies show none of 150 planted secrets.

    No process of the node would leave any in a core dump or has one in its environment. The test
    can fail: the words around them are there.
    """
    domain, state_dir, token_file = fresh_domain(), tmp_path / "state", tmp_path / "token"
    token_file.touch(mode=0o600)
    token_file.write_text(f"{HTTP_TOKEN}\n")
    env = {
        "CARBON_NODE_TRACKER__MODE": "declared",
        "CARBON_NODE_LIVE_KEY": LIVE_KEY,
        "CARBON_NODE_HTTP_TOKEN_FILE": str(token_file),
    }
    options = ["--http-listen=127.0.0.1:0", "--log-level=debug"]
    with running_node(domain, state_dir, *options, env=env) as node:
        published_text = await _published_of(domain, full_of_secrets())
        interface_text = shown(node, HTTP_TOKEN)
        children = node.children()
        environments = [repr(child.environ()).encode() for child in children]
        processes = [psutil.Process(node.process.pid), *children]
        core_limits = [process.rlimit(psutil.RLIMIT_CORE)[0] for process in processes]
        assert node.stop() == 0
    log_text = "\n".join(node.lines).encode()

    everywhere = {
        "outputs, status and replies": published_text,
        "local interface": interface_text,
        "log": log_text,
        "state": kept(state_dir),
        "environments of processes": b"\n".join(environments),
    }
    for place, text in everywhere.items():
        leaked = sorted(set(re.findall(rb"Planted-\d{3}-of", text)))
        assert leaked == [], f"{place}: {leaked}"
        assert LIVE_KEY.encode() not in text, place
        assert HTTP_TOKEN.encode() not in text, place
    assert core_limits == [0] * len(processes)
    for text in (published_text, interface_text, log_text):
        assert b"[redacted] and [redacted]" in text
    assert environments
