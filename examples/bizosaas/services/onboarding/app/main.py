"""The onboarding agent, as small as one can be."""

from fastapi import FastAPI

app = FastAPI(title="onboarding")


@app.get("/ready")
def ready() -> dict[str, bool]:
    return {"ready": True}
