const app = require("express")();

app.get("/", (_, answer) => answer.json({ hello: "node" }));
app.listen(process.env.PORT, "0.0.0.0");
