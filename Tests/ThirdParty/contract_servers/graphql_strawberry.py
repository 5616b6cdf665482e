#!/usr/bin/env python3
"""GraphQL over graphql-transport-ws by strawberry on aiohttp: `graphql_strawberry.py [--defect next-after-complete]`.

Says `listening on 127.0.0.1:PORT`. The defect is in our handler: a result that comes behind the end of its operation.
"""
import argparse
import asyncio
import typing

import strawberry
from aiohttp import web
from strawberry.aiohttp.views import GraphQLView

import serving


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"hello {name}"

    @strawberry.field
    def fails(self) -> str:
        raise ValueError("it fails")


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int = 3) -> typing.AsyncGenerator[int, None]:
        for number in range(to):
            yield number
            await asyncio.sleep(0.02)


class LateAdapter(GraphQLView.websocket_adapter_class):
    """Whatever is complete gets one more result."""

    async def send_json(self, message):
        await super().send_json(message)
        if message.get("type") == "complete":
            await super().send_json({"id": message["id"], "type": "next", "payload": {"data": {"hello": "again"}}})


class Late(GraphQLView):
    websocket_adapter_class = LateAdapter


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--defect", choices=["next-after-complete"])
    view = Late if parser.parse_args().defect else GraphQLView
    app = web.Application()
    app.router.add_route("*", "/graphql", view(schema=strawberry.Schema(Query, subscription=Subscription)))
    serving.run(app)


main()
