"""The API of the shop, as small as one can be."""

from fastapi import FastAPI

app = FastAPI(title="shop")


@app.get("/api/health")
def health() -> dict[str, bool]:
    return {"ok": True}
