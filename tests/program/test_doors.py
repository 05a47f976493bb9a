"""The configuration service of the real program, through both of its doors."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.callers import calling
from tests.domains import fresh_domain
from tests.program.processes import NodeProcess, running_node


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The domain of a node without tracker, which has to survive all that is asked."""
    domain = fresh_domain()
    env = {"CARBON_NODE_TRACKER__MODE": "formula"}
    with running_node(domain, tmp_path_factory.mktemp("state"), env=env) as node:
        yield domain
        assert node.stop() == 0


def test_smoke(domain):
    async def s():
        async with calling(domain) as c:
            print(await c.ask('{"get": ["pue"]}'))
            print(await c.call('{"get": ["pue"]}'))
            print(await c.status())
            t = c.submit()
            print(await c.output(t))
            print(json.dumps(await c.call('{"results": {"last": 1}}'), indent=1))
            print(await c.status())

    asyncio.run(s())
