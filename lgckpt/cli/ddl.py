"""`lgckpt ddl`."""

from __future__ import annotations

import sys

from lgckpt import upkeep
from lgckpt.cli.app import AsJson, Url, app, complain, examples, print_json


@app.command(
    "ddl",
    epilog=examples(
        "lgckpt ddl postgresql://dba@db.example.com/agents",
        "lgckpt ddl 'postgresql://db/agents?lgckpt_schema=memory'",
        "lgckpt ddl sqlite:///agents.db",
    ),
)
def ddl(url: Url, as_json: AsJson = False) -> None:
    """Print the statements that make the schema, for a DBA to read or run.

    No connection is made. Once the tables are there, lgckpt needs no right to make any. Redis and
    memory have no schema: then nothing is printed but a note of that.
    """
    found = upkeep.ddl(url)
    if as_json:
        print_json({"ddl": found})
    elif found is None:
        complain(f"there is no schema for {url}: nothing has to be made there")
    else:
        sys.stdout.write(found.rstrip("\n") + "\n")
