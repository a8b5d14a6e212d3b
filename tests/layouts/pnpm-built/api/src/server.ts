import fastify from "fastify";
await fastify().listen({ port: Number(process.env.PORT), host: "0.0.0.0" });
