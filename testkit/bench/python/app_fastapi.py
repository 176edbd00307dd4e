"""The three workloads on FastAPI."""

from time import time
from typing import Annotated, Any

from fastapi import FastAPI, File, Header, HTTPException, Request, UploadFile
from fastapi.responses import HTMLResponse, PlainTextResponse
from saved import save

app = FastAPI()


@app.get("/html", response_class=HTMLResponse)
async def html():
    return HTMLResponse("<b>HTML OK</b>", headers={"x-time": str(int(time()))})


@app.put("/api/users/{user}/records/{record}")
async def api(
    user: int,
    record: int,
    request: Request,
    data: dict[str, Any],
    authorization: Annotated[str | None, Header()] = None,
):
    if not authorization:
        raise HTTPException(401)
    params = {"user": user, "record": record}
    return {"params": params, "query": dict(request.query_params), "data": data}


@app.post("/upload", response_class=PlainTextResponse)
async def upload(file: Annotated[UploadFile, File()]):
    return save(await file.read())
