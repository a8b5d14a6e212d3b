process.env.PORT;
