class settings:
    title = "agent"
