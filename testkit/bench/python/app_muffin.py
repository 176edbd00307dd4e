"""The three workloads on muffin."""

from time import time

from asgi_tools import ResponseHTML, ResponseJSON, ResponseText
from muffin import Application
from saved import save

app = Application()


@app.route("/html")
async def html(request):
    return ResponseHTML("<b>HTML OK</b>", headers={"x-time": str(int(time()))})


@app.route("/api/users/{user:int}/records/{record:int}", methods=["PUT"])
async def api(request):
    if not request.headers.get("authorization"):
        return ResponseText("Authorization required", status_code=401)
    data = await request.json()
    params = {"user": request.path_params["user"], "record": request.path_params["record"]}
    return ResponseJSON({"params": params, "query": dict(request.url.query), "data": data})


@app.route("/upload", methods=["POST"])
async def upload(request):
    form = await request.form()
    if "file" not in form:
        return ResponseText("no file", status_code=400)
    return ResponseText(save(form["file"].read()))
