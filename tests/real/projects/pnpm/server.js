const app = require("express")();

app.get("/", (_, answer) => answer.json({ hello: "pnpm" }));
app.listen(process.env.PORT, "0.0.0.0");
