import fastapi

from agent.settings import settings

admin = fastapi.FastAPI(title="admin")
app: fastapi.FastAPI = fastapi.FastAPI(title=settings.title)
app.mount("/admin", admin)
