module acme/api

go 1.24
