"""A Cluster of three masters with a replica each, and a master with Sentinels, on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable

import redis

from tests.services.ports import free_port
from tests.services.valkey import Server

SLOTS = 16384
NODE_TIMEOUT_MS = 1500
LIMIT = 40.0
"""Seconds for anything here to come about."""


def until(what: str, found: Callable[[], bool], limit: float = LIMIT) -> None:
    """Wait for something to come about."""
    deadline = time.monotonic() + limit
    while True:
        try:
            if found():
                return
        except redis.RedisError:
            pass
        assert time.monotonic() < deadline, f"{what}: not within {limit} seconds"
        time.sleep(0.05)


class Cluster:
    """Six nodes; the first three began as masters."""

    def __init__(self) -> None:
        buses = [free_port() for _ in range(6)]
        self.nodes = [self._node(bus) for bus in buses]
        masters, replicas = self.nodes[:3], self.nodes[3:]
        for i, node in enumerate(masters):
            start, end = SLOTS * i // 3, SLOTS * (i + 1) // 3 - 1
            node.client.execute_command("CLUSTER", "ADDSLOTSRANGE", start, end)
            node.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
        first = masters[0]
        for node, bus in zip(self.nodes[1:], buses[1:], strict=True):
            first.client.execute_command("CLUSTER", "MEET", "127.0.0.1", node.port, bus)
        until("all nodes met", lambda: all(self._known(n) == 6 for n in self.nodes))
        for master, replica in zip(masters, replicas, strict=True):
            name = master.client.execute_command("CLUSTER", "MYID")

            def follow(replica: Server = replica, name: object = name) -> bool:
                return bool(replica.client.execute_command("CLUSTER REPLICATE", name))

            until("a replica", follow)
        until("the cluster is up", lambda: all(self._is_up(n) for n in self.nodes))
        until("replicas follow", lambda: all(self._follows(n) for n in replicas))

    @staticmethod
    def _node(bus: int) -> Server:
        return Server(
            {
                "cluster-enabled": "yes",
                "cluster-port": str(bus),
                "cluster-node-timeout": str(NODE_TIMEOUT_MS),
                "cluster-config-file": "nodes.conf",
                "cluster-require-full-coverage": "no",
                "repl-diskless-sync-delay": "0",
                "repl-ping-replica-period": "1",
            }
        )

    @staticmethod
    def _known(node: Server) -> int:
        return len(node.client.execute_command("CLUSTER NODES"))

    @staticmethod
    def _is_up(node: Server) -> bool:
        info = node.client.execute_command("CLUSTER INFO")
        return bool(info["cluster_state"] == "ok" and info["cluster_size"] == "3")

    @staticmethod
    def _follows(node: Server) -> bool:
        return bool(node.client.info("replication").get("master_link_status") == "up")

    @property
    def url(self) -> str:
        """Two of the nodes: the others are found."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in (self.nodes[0], self.nodes[4]))
        return f"redis+cluster://{hosts}"

    def masters(self) -> list[Server]:
        """Who is a master now, of those that run."""
        return [node for node in self.nodes if _role(node) == "master"]

    def remove(self) -> None:
        """Kill all nodes and delete their files."""
        for node in self.nodes:
            node.remove()


class Watched:
    """One master, one replica, three Sentinels."""

    name = "mymaster"

    def __init__(self) -> None:
        quick = {"repl-diskless-sync-delay": "0", "repl-ping-replica-period": "1"}
        self.master = Server(quick)
        self.replica = Server({**quick, "replicaof": f"127.0.0.1 {self.master.port}"})
        until("the replica follows", lambda: Cluster._follows(self.replica))
        config = (
            f"sentinel monitor {self.name} 127.0.0.1 {self.master.port} 2\n"
            f"sentinel down-after-milliseconds {self.name} 1000\n"
            f"sentinel failover-timeout {self.name} 5000\n"
        )
        self.sentinels = [Server(sentinel=config) for _ in range(3)]
        until("the sentinels know all", lambda: all(self._knows(s) for s in self.sentinels))

    def _knows(self, sentinel: Server) -> bool:
        state = sentinel.client.sentinel_master(self.name)
        return bool(state["num-slaves"] == 1 and state["num-other-sentinels"] == 2)

    @property
    def url(self) -> str:
        """By its Sentinels."""
        hosts = ",".join(f"127.0.0.1:{one.port}" for one in self.sentinels)
        return f"redis+sentinel://{hosts}/{self.name}/0"

    def remove(self) -> None:
        """Kill all of it."""
        for one in (*self.sentinels, self.replica, self.master):
            one.remove()


def _role(node: Server) -> str | None:
    try:
        return str(node.client.info("replication")["role"])
    except redis.RedisError:
        return None
