"""The three workloads on Starlette."""

from time import time

from saved import save
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.routing import Route


async def html(request):
    return HTMLResponse("<b>HTML OK</b>", headers={"x-time": str(int(time()))})


async def api(request):
    if not request.headers.get("authorization"):
        return PlainTextResponse("Authorization required", status_code=401)
    data = await request.json()
    params = {"user": request.path_params["user"], "record": request.path_params["record"]}
    return JSONResponse({"params": params, "query": dict(request.query_params), "data": data})


async def upload(request):
    async with request.form() as form:
        if "file" not in form:
            return PlainTextResponse("no file", status_code=400)
        return PlainTextResponse(save(await form["file"].read()))


app = Starlette(
    routes=[
        Route("/html", html),
        Route("/api/users/{user:int}/records/{record:int}", api, methods=["PUT"]),
        Route("/upload", upload, methods=["POST"]),
    ]
)
