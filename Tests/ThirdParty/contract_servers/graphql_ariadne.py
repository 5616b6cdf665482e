#!/usr/bin/env python3
"""GraphQL over graphql-transport-ws by ariadne on uvicorn: `graphql_ariadne.py`. Says `listening on 127.0.0.1:PORT`."""
import asyncio
import logging

import uvicorn
from ariadne import QueryType, SubscriptionType, make_executable_schema
from ariadne.asgi import GraphQL
from ariadne.asgi.handlers import GraphQLTransportWSHandler

import serving

query, subscription = QueryType(), SubscriptionType()


@query.field("hello")
def resolve_hello(*_, name="world"):
    return f"hello {name}"


@query.field("fails")
def resolve_fails(*_):
    raise ValueError("it fails")


@subscription.source("count")
async def count_source(*_, to=3):
    for number in range(to):
        yield number
        await asyncio.sleep(0.02)


@subscription.field("count")
def count_field(number, *_, to=3):
    return number


SCHEMA = """
type Query { hello(name: String): String!  fails: String! }
type Subscription { count(to: Int): Int! }
"""


def main():
    logging.disable(logging.CRITICAL)
    app = GraphQL(make_executable_schema(SCHEMA, query, subscription), websocket_handler=GraphQLTransportWSHandler())
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="websockets-sansio", lifespan="off"))
    listener = serving.free_socket()
    serving.told(listener)
    asyncio.run(server.serve(sockets=[listener]))


main()
